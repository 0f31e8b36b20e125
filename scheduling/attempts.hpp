// What comes after an attempt: the job is over, or it waits for another attempt. Pure.
#pragma once

#include "config/job_type.hpp"
#include "scheduling/job_queue.hpp"
#include "scheduling/outcome.hpp"

#include <optional>
#include <string>
#include <variant>

namespace ferry::scheduling {

struct job_ends {
  job_state state = job_state::completed;
};
// It is queued again.
struct job_waits {
  attempt_end how = attempt_end::retried;
  std::optional<instant> not_before = {}; // the backoff
  bool held = false;
  std::string held_for = {};
  int retries = 0;   // so far
  int batch_max = 0; // as queued_job has it, as the next
  int items_max = 0;
};
using after_attempt = std::variant<job_ends, job_waits>;

// What a user wants of a running job, since it was started.
enum class user_wish {
  none,
  cancel,  // it is to end, whatever else was wished
  suspend, // it is to wait, held
  resume,  // it was suspended, and is to go on after all
};

// Interrupted jobs wait, and those that have items left; one that ran out of memory alone tries again with half the items of that
// run, where it may run in parts. Failed ones wait when the policy allows another try for this kind of failure and they have had
// fewer retries than that; all else has ended. Nothing waits that is to be cancelled, but for the moment that it takes
// to store a part that is done; what is suspended waits held, also where its
// run ended in another way before it could heed that. `type` is null when the configuration no longer has it: then nothing is
// retried, but what was interrupted waits.
[[nodiscard]] after_attempt decide_after(const job_outcome& outcome, const queued_job& job, const config::job_type* type,
                                         user_wish wish, instant now);

// Does the end of the attempt count for or against its type (failure_storm)? Not where it was interrupted, or goes on with fewer
// items.
[[nodiscard]] bool tells_of_type(const job_outcome& outcome, const after_attempt& then);

// Daemon or supervisor died while the job was being started. True: that was once too often (`quarantine_after`; 0: never), and the
// job is held now.
[[nodiscard]] bool count_start_crash(queued_job& job, int quarantine_after);
// Why a suspended job is held.
inline constexpr const char* suspended_reason = "suspended";
// Why a job is held that was asked to be cancelled while it ran: whatever becomes of its attempt, it does not start again.
inline constexpr const char* cancelled_reason = "cancelled";

inline constexpr const char* quarantine_reason = "quarantined: ferry or its supervisor died each time it was started";

// How many retries the policy allows for a failure of this kind. `input` and `launch` fail the same way again: none.
[[nodiscard]] int retries_allowed(const config::retry_policy& policy, failure_kind kind);

// Before retry number `retry` (from 1): delay × 2^(retry−1), at most delay_max, times 0.8 to 1.2 by a hash of job and retry, so
// that jobs that failed together do not come back together and the same job always waits the same time (P7).
[[nodiscard]] duration backoff(const config::retry_policy& policy, job_id job, int retry);

} // namespace ferry::scheduling
