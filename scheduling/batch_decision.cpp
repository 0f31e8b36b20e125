#include "scheduling/batch_decision.hpp"

#include <algorithm>
#include <tuple>

namespace ferry::scheduling {
namespace {

using account = device_ledger::account;

struct victims {
  std::vector<batch_id> batches;
  bool enough = false;
};

// Which batches of a device would have to go for this job to fit; those already going are counted on.
victims find_victims(const device_ledger& devices, const account& a, const candidate& c) {
  struct one {
    batch_id batch;
    const lease* of;
  };
  std::vector<one> preemptible;
  int slots = a.slots_free();
  std::int64_t memory = a.memory_free_mib();
  for (const auto& [batch, l] : devices.leases()) {
    if (l.device != a.owner.id)
      continue;
    if (devices.is_leaving(batch)) {
      slots += l.slots;
      memory += l.memory_mib;
    } else if (l.preemptible && l.tier < c.job.tier) {
      preemptible.push_back({batch, &l});
    }
  }
  std::sort(preemptible.begin(), preemptible.end(), [](const one& x, const one& y) {
    return std::tuple{x.of->tier, y.of->since, y.batch} < std::tuple{y.of->tier, x.of->since, x.batch};
  });
  victims found;
  const auto fits = [&] { return c.needs.slots <= slots && c.needs.memory_mib <= memory; };
  for (auto next = preemptible.begin(); !fits() && next != preemptible.end(); ++next) {
    found.batches.push_back(next->batch);
    slots += next->of->slots;
    memory += next->of->memory_mib;
  }
  found.enough = fits();
  return found;
}

// The device where the fewest have to go, if there is one where that is enough.
std::optional<preempt_batches> preempt_for(const device_ledger& devices, const std::vector<bool>& kept, const candidate& c) {
  std::optional<victims> best;
  if (c.job.tier == 0)
    return std::nullopt;
  const auto& accounts = devices.accounts();
  for (std::size_t i = 0; i < accounts.size(); ++i) {
    if (kept[i] || !accounts[i].out_of_service.empty() || !devices.suits(accounts[i], c.needs))
      continue;
    auto found = find_victims(devices, accounts[i], c);
    if (found.enough && (!best || found.batches.size() < best->batches.size()))
      best = std::move(found);
  }
  if (!best || best->batches.empty())
    return std::nullopt;
  return preempt_batches{.batches = std::move(best->batches), .for_job = c.job.id};
}

} // namespace

batch_decision choose_batch(std::span<const candidate> in_order, const device_ledger& devices, instant now) {
  const auto& accounts = devices.accounts();
  std::vector<bool> kept(accounts.size(), false);
  for (const candidate& c : in_order) {
    const account* best = nullptr;
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
                            .place = {.device = best->owner.id,
                                      .slots = c.needs.slots,
                                      .memory_mib = c.needs.memory_mib,
                                      .tier = c.job.tier,
                                      .preemptible = c.preemptible,
                                      .since = now}};
    if (auto preempted = preempt_for(devices, kept, c))
      return std::move(*preempted);
    for (std::size_t i = 0; i < accounts.size(); ++i)
      kept[i] = kept[i] || devices.suits(accounts[i], c.needs);
    if (std::all_of(kept.begin(), kept.end(), [](bool k) { return k; }))
      break;
  }
  return stay_idle{};
}

} // namespace ferry::scheduling
