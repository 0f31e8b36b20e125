#include "scheduling/virtual_time.hpp"

#include <algorithm>
#include <vector>

namespace ferry::scheduling {

lease carry_out(device_ledger& devices, batch_id batch, const dispatch_batch& chosen) {
  lease place = chosen.place;
  for (const worker_id id : chosen.ends_workers)
    devices.remove_worker(id);
  if (chosen.starts_worker) {
    place.worker = {batch.value};
    devices.add_worker(
        {.id = place.worker, .device = place.device, .type = chosen.type, .warm = chosen.warm, .memory_mib = place.memory_mib});
  }
  devices.grant(batch, place);
  return place;
}

void end_expired_workers(device_ledger& devices, std::span<const config::job_type> types, instant now) {
  std::vector<worker_id> expired;
  for (const auto& [id, worker] : devices.workers())
    if (worker.is_idle() && worker.type < types.size() && now - worker.idle_since >= types[worker.type].worker.keep_alive)
      expired.push_back(id);
  for (const worker_id id : expired)
    devices.remove_worker(id);
}

std::size_t device_index(const device_ledger& devices, const std::string& id) {
  const auto& accounts = devices.accounts();
  const auto found = std::find_if(accounts.begin(), accounts.end(), [&](const auto& a) { return a.owner.id == id; });
  return static_cast<std::size_t>(found - accounts.begin());
}

} // namespace ferry::scheduling
