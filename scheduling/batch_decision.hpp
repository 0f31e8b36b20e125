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
  bool preemptible = false;                      // its type is
  const config::batch_rules* batching = nullptr; // of its type, lives as long as the daemon; null: it runs alone
  std::vector<double> tolerated = {};            // as batch_traits has them
  bool on_worker = false;                        // its type's runner is a worker
  std::uint64_t warm = 0;                        // then: what that has to have loaded
};

// Start these jobs together, now.
struct dispatch_batch {
  std::vector<job_id> jobs;
  type_index type = 0;
  lease place;
  bool starts_worker = false;               // a worker is started for it: its number is the batch's
  std::uint64_t warm = 0;                   // then: what that loads
  std::vector<worker_id> ends_workers = {}; // that have to be gone before, for their memory
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

// The first job in order that fits a device starts there, together with those behind it in order that it may share a batch with:
// of its group, each two of them within the tolerances and the window, at most max_items items and as much memory as there is. A
// job that would fit a device but finds it full keeps that device: nothing behind it may take the room it waits for, so large jobs
// do not starve. Of several devices with room the one is taken that has an idle worker with the right model; then that with most
// free slots, then most free memory, then the first. Idle workers end where their memory is needed, those first that have been idle
// longest. A job for which no device has room may have the room of preemptible batches of lower tiers; until they have gone, it
// waits.
[[nodiscard]] batch_decision choose_batch(std::span<const candidate> in_order, const device_ledger& devices, instant now);

} // namespace ferry::scheduling
