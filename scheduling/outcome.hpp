// What became of an attempt, judged from how its run ended and from what it reported; and what to do about a run found at start.
// Pure.
#pragma once

#include "model/facts.hpp"
#include "model/job.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ferry::scheduling {

// Why ferry itself stops a run. As text it goes to the shim and comes back in the run's end, so that it survives the daemon.
enum class stop_cause { cancel, timeout, metric, device, preempt, suspend, lease };
struct stop_reason {
  stop_cause cause = stop_cause::cancel;
  bool may_retry = false; // the retry policy is asked
  std::string why = {};   // one sentence; may be empty
};
// "cancel", "timeout: ran longer than …", "timeout, retry: no sign of life for 10 m".
[[nodiscard]] std::string to_text(const stop_reason& reason);
// What a shim writes by itself when the lease of its node ends: the text of such a reason.
inline constexpr std::string_view lease_ended_text = "lease, retry: its node was out of reach of the head until its lease ended";
// Nothing for text that no ferry wrote.
[[nodiscard]] std::optional<stop_reason> stop_reason_from(std::string_view text);

// By convention (BSD's EX_TEMPFAIL) a process that ends with it is to be continued: it has left a checkpoint.
inline constexpr int exit_to_be_continued = 75;

// How a run ended. All empty: its supervisor vanished without a record.
struct run_ending {
  std::optional<int> exit_status = {};
  std::optional<int> signal = {};
  std::optional<failure> launch_failure = {};
  std::string stopped_by = {};
  bool lost = false;
  std::optional<failure> damaged = {}; // nothing more can be learnt of it, and another try would not mend that
  std::optional<failure> broken = {};  // why the batch as a whole failed, though its process ended well or was ended for that
  int jobs_left = 1;                   // how many jobs of the batch had not ended by themselves
  int jobs_in_all = 1;                 // that ran in it: one that ran alone answers for its run
  std::optional<instant> at = {};      // when it ended, where that is on record: no daemon may have been there
};

// What one job said of itself through events, and what it left behind.
struct job_report {
  bool has_ended = false;     // a worker said so: that is its end, whatever becomes of the batch
  bool was_cancelled = false; // then: as it was asked to
  bool stop_is_its = true;    // the run was stopped, and for its sake
  std::optional<json> result = {};
  std::optional<failure> why_failed = {};
  json artifacts = json::array();   // [{"path", "bytes"}]
  std::vector<run_note> notes = {}; // its timeline, in order; checkpoints among them
  std::optional<std::int64_t> step = {};
  std::optional<instant> ended = {}; // when it reported its end
};

// How one job's attempt ended.
struct job_outcome {
  job_state state = job_state::completed; // what the job is in if this was its last attempt
  std::optional<failure> why_failed = {};
  json result = nullptr;
  // Set where the attempt did not fail and did not complete: the job is to go on later.
  std::optional<attempt_end> interrupted = {};
  bool may_retry = true; // a failure that the retry policy may try again
  std::vector<run_note> notes = {};
  std::optional<std::int64_t> step = {}; // that it had reached
  std::optional<instant> ended = {};     // where that is on record
  int batch_max = 0;                     // of one that is regrouped: with how many it may run from now on; 0: with any
};

// Exit status 0 alone is success; a job that reported a failure has failed whatever the status. A run that was stopped ends for the
// reason it was stopped for, also when it managed to exit with 0 first; one that was preempted or suspended, or whose node's lease
// ended, has completed if it reported so and ended with 0; else the latter is lost. Of several jobs of a failed batch none can be
// told to be the one at fault: they are regrouped, in halves, until it stands alone. Exit status 75 after a checkpoint of this
// attempt: to be continued.
[[nodiscard]] job_outcome judge(const run_ending& ending, const job_report& report);

// Of a job whose run was stopped for this reason before it was launched. `is_its`: for the sake of this job; else for that of
// another in its batch.
[[nodiscard]] job_outcome judge_unlaunched(const stop_reason& stopped, bool is_its = true);

// What a run directory told at start.
enum class run_sighting { absent, never_started, alive, over, lost, damaged };
enum class reconciliation {
  requeue, // it never ran: back in line, no attempt counted
  adopt,   // it runs: follow it
  harvest, // it ended meanwhile: take its result
  give_up, // gone without a record: end what is left of it; the retry policy decides about its jobs
};
[[nodiscard]] reconciliation reconcile(run_sighting sighting);

} // namespace ferry::scheduling
