// What to run next, and where: the decision that everything else serves. Pure and deterministic (P7).
#pragma once

#include "model/time.hpp"
#include "scheduling/candidate.hpp"
#include "scheduling/device_ledger.hpp"

#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace ferry::scheduling {

// Start these jobs together, now.
struct dispatch_batch {
  std::vector<job_id> jobs;
  std::vector<std::uint16_t> items; // of each of them, how many: see job_parts
  type_index type = 0;
  lease place;
  bool starts_worker = false;               // a worker is started for it: its number is the batch's
  std::uint64_t warm = 0;                   // then: what that loads
  double marginal = 0.5;                    // the price of a further item that it was chosen with
  std::vector<worker_id> ends_workers = {}; // that have to be gone before, for their memory
};
// A device that has the right model loaded will be free by then, as far as is known: that is nearer than loading it elsewhere.
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

// What starts next.
//
// Each device serves the jobs that may run on it in their order. The first of them, the head, is never kept from it by others:
// where it does not fit, the device is kept free for it, so that large jobs do not starve; it may then have the room of preemptible
// batches of lower tiers. Others may be served before jobs in front of them only to avoid loading a model, only within the same
// tier and priority, and only where they were submitted at most `overtaking` (of the head's type) after each of those: so a bounded
// set of jobs can ever overtake a job. Where users take turns, those of another user also have to stand at most so much behind it
// in virtual time (fair_share.hpp), for they may have been submitted before it. Of all that may start, a job whose model an idle
// worker has comes first, then one whose model no worker has, then one whose model is loaded elsewhere on a busy one; then order
// decides. Where that busy worker is expected to be free sooner than its model could be loaded again, the job waits for it.
//
// Who joins the first job: choose_company; they follow it, whoever stands between them. A cold job goes where the fewest idle
// workers have to end, then where those that end have been idle longest, then where most slots and memory are free.
[[nodiscard]] batch_decision choose_batch(std::span<const candidate> in_order, const device_ledger& devices, instant now);

} // namespace ferry::scheduling
