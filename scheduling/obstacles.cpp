#include "scheduling/obstacles.hpp"

#include "scheduling/admission.hpp"

#include <algorithm>

namespace ferry::scheduling {
namespace {

using account = device_ledger::account;

std::string mib(std::int64_t amount) { return std::to_string(amount) + " MiB"; }

// Who has to end, those first that are expected to end first, until so much is free; and when that will be.
void wait_for_room(obstacle& found, const demand& needs, const account& on, const queue_picture& picture) {
  struct one {
    batch_id batch;
    const lease* of;
    std::optional<instant> ends;
  };
  std::vector<one> leases;
  for (const auto& [batch, of] : picture.devices.leases()) {
    if (of.device != on.owner.id || of.follows)
      continue;
    const auto running = picture.running.find(batch);
    const auto ends = running == picture.running.end() ? std::optional(picture.now)
                      : running->second.ends           ? std::optional(running->second.ends->median)
                                                       : std::nullopt;
    leases.push_back({batch, &of, ends});
  }
  std::sort(leases.begin(), leases.end(), [](const one& a, const one& b) {
    return std::pair{a.ends.value_or(instant::max()), a.batch} < std::pair{b.ends.value_or(instant::max()), b.batch};
  });
  int slots = on.slots_free();
  std::int64_t memory = on.memory_free_mib();
  for (const auto& [id, worker] : picture.devices.workers()) // idle ones make room
    memory += worker.device == on.owner.id && worker.busy_with.is_none() ? worker.memory_mib : 0;
  bool all_known = true;
  std::optional<instant> last;
  for (const one& l : leases) {
    if (needs.slots <= slots && needs.memory_mib <= memory)
      break;
    slots += l.of->slots;
    memory += l.of->memory_mib;
    all_known = all_known && l.ends;
    last = l.ends;
    if (const auto running = picture.running.find(l.batch); running != picture.running.end())
      found.jobs.insert(found.jobs.end(), running->second.jobs.begin(), running->second.jobs.end());
  }
  if (all_known)
    found.until = last;
}

std::string why_unsuited(const account& on, const demand& needs) {
  if (needs.slots > on.owner.slots)
    return "needs " + std::to_string(needs.slots) + " slots; it has " + std::to_string(on.owner.slots);
  if (needs.memory_mib > on.owner.memory_mib)
    return "needs " + mib(needs.memory_mib) + "; it has " + mib(on.owner.memory_mib);
  if (needs.on && !needs.on->accepts(on.owner))
    return "the job asks for " + to_string(*needs.on);
  if (needs.memory_mib > on.owner.memory_of_one_lease_mib())
    return "needs " + mib(needs.memory_mib) + "; one batch may have " + mib(on.owner.memory_of_one_lease_mib());
  return "jobs of its type do not run there";
}

// The first in order that may run there: the device is kept for it.
const queued_job* head_of(const account& on, const queue_picture& picture) {
  const auto found = std::find_if(picture.in_order.begin(), picture.in_order.end(), [&](const queued_job& job) {
    return picture.devices.suits(on, demand_of(picture.types[job.type], job.items, picture.groups.at(job.group).on));
  });
  return found == picture.in_order.end() ? nullptr : &*found;
}

obstacle find_obstacle(const queued_job& job, const account& on, const queue_picture& picture) {
  const auto& type = picture.types[job.type];
  const auto needs = demand_of(type, job.items, picture.groups.at(job.group).on);
  const auto& devices = picture.devices;
  obstacle found{.device = on.owner.id, .why = {}};
  if (!devices.suits(on, needs)) {
    found.why = why_unsuited(on, needs);
    return found;
  }
  if (!on.out_of_service.empty()) {
    found.why = "it is out of service: " + on.out_of_service;
    return found;
  }
  const auto* warm =
      type.runner == config::runner_kind::worker ? devices.find_idle(on, picture.groups.at(job.group).warm) : nullptr;
  const bool has_memory =
      (warm && needs.memory_mib <= on.memory_free_mib() + warm->memory_mib) || devices.make_room(on, needs.memory_mib).has_value();
  if (needs.slots > on.slots_free())
    found.why = "needs " + std::to_string(needs.slots) + (needs.slots == 1 ? " slot; " : " slots; ") +
                std::to_string(std::max(on.slots_free(), 0)) + " of " + std::to_string(on.owner.slots) + " are free";
  else if (!has_memory)
    found.why = "needs " + mib(needs.memory_mib) + "; " + mib(on.memory_free_mib()) + " of " + mib(on.owner.memory_mib) +
                " are free" + (on.memory_taken_mib > 0 ? "; other programs take " + mib(on.memory_taken_mib) : std::string());
  if (!found.why.empty()) {
    wait_for_room(found, needs, on, picture);
    return found;
  }
  if (const auto* head = head_of(on, picture); head && head->id != job.id) {
    found.why = "there is room, for job " + to_string(head->id) + " before it";
    found.jobs = {head->id};
  } else {
    found.why = "there is room: it is about to start, or waits for a busy worker that has its model";
  }
  return found;
}

} // namespace

std::vector<obstacle> find_obstacles(const queued_job& job, const queue_picture& picture) {
  std::vector<obstacle> all;
  for (const auto& on : picture.devices.accounts())
    all.push_back(find_obstacle(job, on, picture));
  return all;
}

} // namespace ferry::scheduling
