// What to run next, and where: the decision that everything else serves. Pure and deterministic (P7).
#pragma once

#include "model/time.hpp"
#include "scheduling/device_ledger.hpp"
#include "scheduling/job_queue.hpp"

#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace ferry::scheduling {

// A queued job and what it needs, in the order of the queue.
struct candidate {
  queued_job job;
  demand needs;
  bool preemptible = false; // its type is
};

// Start these jobs together, now.
struct dispatch_batch {
  std::vector<job_id> jobs;
  type_index type = 0;
  lease place;
};
// Waiting for company until then is worth more than starting now.
struct wait_until {
  instant when{};
};
// The first job that cannot be placed is of a higher tier than these, which are preemptible: stopping them makes room for it.
struct preempt_batches {
  std::vector<batch_id> batches; // the fewest that do, of the lowest tiers, those first that started last
  job_id for_job;
};
// Nothing can start until a slot is freed or the queue changes.
struct stay_idle {};

// Exactly one of them, so no value has two meanings.
using batch_decision = std::variant<dispatch_batch, preempt_batches, wait_until, stay_idle>;

// Batches hold one job each for now. The first job in order that fits a device starts there. A job that would fit a device but
// finds it full keeps that device: nothing behind it may take the room it waits for, so large jobs do not starve. Of several
// devices with room the one with most free slots is taken, then most free memory, then the first. A job
// for which no device has room may have the room of preemptible batches of lower tiers; until they have gone, it waits.
[[nodiscard]] batch_decision choose_batch(std::span<const candidate> in_order, const device_ledger& devices, instant now);

} // namespace ferry::scheduling
