#include "scheduling/follow_up.hpp"

#include <algorithm>

namespace ferry::scheduling {
namespace {

// When the worker will have done all that it was given; nothing: nobody knows, or it is given no more.
std::optional<instant> free_at(const device_ledger& devices, const warm_worker& worker, instant now) {
  if (worker.busy_with.is_none() || worker.is_leaving || worker.following.size() >= follow_ups_max ||
      devices.is_leaving(worker.busy_with))
    return std::nullopt;
  const auto& current = devices.leases().at(worker.busy_with);
  if (!current.ends || current.goes_on)
    return std::nullopt;
  auto at = expected_end_of(current, now);
  for (const batch_id next : worker.following) {
    const auto& lease = devices.leases().at(next);
    if (!lease.ends || lease.goes_on)
      return std::nullopt;
    at += *lease.ends - lease.since;
  }
  return at <= now + committed_ahead_max ? std::optional(at) : std::nullopt;
}

// As it will be once the worker has done what it has.
device_ledger when_idle(const device_ledger& devices, const warm_worker& worker, instant now) {
  device_ledger then = devices;
  for (const batch_id next : worker.following)
    then.release(next, now);
  then.release(worker.busy_with, now);
  return then;
}

bool is_full(const dispatch_batch& batch, std::span<const candidate> in_order) {
  int items = 0;
  const candidate* head = nullptr;
  for (const candidate& c : in_order)
    if (std::find(batch.jobs.begin(), batch.jobs.end(), c.job.id) != batch.jobs.end()) {
      head = c.job.id == batch.jobs.front() ? &c : head;
      items += c.job.items;
    }
  if (!head->batching || head->batching->max_items <= 1)
    return true;
  return head->job.batch_max == 0 && items >= std::min(head->batching->max_items, head->items_max);
}

} // namespace

int follow_ups_on_offer(const device_ledger& devices, instant now) {
  std::size_t sum = 0;
  for (const auto& [id, worker] : devices.workers())
    if (worker.following.size() <= follow_ups_max / 2 && free_at(devices, worker, now))
      sum += follow_ups_max - worker.following.size();
  return static_cast<int>(sum);
}

std::optional<dispatch_batch> choose_follow_up(std::span<const candidate> in_order, const device_ledger& devices, instant now) {
  for (const auto& [id, worker] : devices.workers()) {
    const auto begins = free_at(devices, worker, now);
    if (!begins)
      continue;
    auto decision = choose_batch(in_order, when_idle(devices, worker, now), now);
    auto* next = std::get_if<dispatch_batch>(&decision);
    if (!next || next->place.worker != id || !next->ends_workers.empty() || !is_full(*next, in_order))
      continue;
    next->place.follows = true;
    next->place.since = *begins;
    if (next->place.ends)
      *next->place.ends += *begins - now;
    return std::move(*next);
  }
  return std::nullopt;
}

} // namespace ferry::scheduling
