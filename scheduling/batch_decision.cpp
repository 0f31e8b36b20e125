#include "scheduling/batch_decision.hpp"

#include <algorithm>
#include <tuple>

namespace ferry::scheduling {

batch_decision choose_batch(std::span<const candidate> in_order, const device_ledger& devices, instant /*now*/) {
  const auto& accounts = devices.accounts();
  std::vector<bool> kept(accounts.size(), false);
  for (const candidate& c : in_order) {
    const device_ledger::account* best = nullptr;
    for (std::size_t i = 0; i < accounts.size(); ++i) {
      const auto& a = accounts[i];
      if (kept[i] || !devices.suits(a, c.needs) || !device_ledger::has_room(a, c.needs))
        continue;
      if (!best || std::tuple{a.slots_free(), a.memory_free_mib()} > std::tuple{best->slots_free(), best->memory_free_mib()})
        best = &a;
    }
    if (best)
      return dispatch_batch{.jobs = {c.job.id},
                            .type = c.job.type,
                            .place = {.device = best->owner.id, .slots = c.needs.slots, .memory_mib = c.needs.memory_mib}};
    for (std::size_t i = 0; i < accounts.size(); ++i)
      kept[i] = kept[i] || devices.suits(accounts[i], c.needs);
    if (std::all_of(kept.begin(), kept.end(), [](bool k) { return k; }))
      break;
  }
  return stay_idle{};
}

} // namespace ferry::scheduling
