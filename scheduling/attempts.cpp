#include "scheduling/attempts.hpp"

#include "config/limits.hpp"
#include "scheduling/job_parts.hpp"

#include <algorithm>

namespace ferry::scheduling {
namespace {

// splitmix64's last step (Steele, Lea, Flood 2014): spreads neighbouring numbers over all 64 bits.
std::uint64_t scrambled(std::uint64_t x) {
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}

} // namespace

bool tells_of_type(const job_outcome& outcome, const after_attempt& then) {
  const auto* waits = std::get_if<job_waits>(&then);
  return !outcome.interrupted && !(waits && waits->how == attempt_end::regrouped);
}

bool count_start_crash(queued_job& job, int quarantine_after) {
  if (job.start_crashes < 3)
    job.start_crashes = static_cast<std::uint8_t>((job.start_crashes + 1) & 3);
  if (quarantine_after == 0 || job.start_crashes < quarantine_after || job.held)
    return false;
  job.held = true;
  return true;
}

int retries_allowed(const config::retry_policy& policy, failure_kind kind) {
  switch (kind) {
  case failure_kind::exit_status: return policy.exit_status;
  case failure_kind::signal: return policy.signal;
  case failure_kind::oom: return policy.oom;
  case failure_kind::timeout: return policy.timeout;
  case failure_kind::lost: return policy.lost;
  case failure_kind::device: return policy.device;
  case failure_kind::metric: return policy.metric;
  case failure_kind::transient: return policy.transient;
  case failure_kind::reported: return policy.exit_status; // it failed by itself, and said so instead of by its status
  case failure_kind::input:
  case failure_kind::launch:
  case failure_kind::needs: return 0;
  }
  return 0;
}

duration backoff(const config::retry_policy& policy, job_id job, int retry) {
  auto delay = policy.delay;
  for (int i = 1; i < retry && delay < policy.delay_max; ++i)
    delay *= 2;
  delay = std::min(delay, policy.delay_max);
  const auto seed = static_cast<std::uint64_t>(job.value) * 0x9e3779b97f4a7c15U + static_cast<std::uint64_t>(retry);
  const auto thousandths = static_cast<std::int64_t>(800 + scrambled(seed) % 401);
  return delay * thousandths / 1000;
}

after_attempt decide_after(const job_outcome& outcome, const queued_job& job, const config::job_type* type, user_wish wish,
                           instant now) {
  auto interrupted = outcome.interrupted;
  const bool is_lost = outcome.why_failed && outcome.why_failed->kind == failure_kind::lost;
  if (!interrupted && outcome.state == job_state::completed && has_more_parts(job))
    interrupted = attempt_end::part_done;
  if (wish == user_wish::cancel && interrupted == attempt_end::part_done) // that part counts; then it is cancelled
    return job_waits{.how = attempt_end::part_done, .held = true, .held_for = cancelled_reason, .retries = job.retries};
  if (wish == user_wish::cancel) // also what was interrupted: nothing else keeps it from going on
    return job_ends{interrupted || is_lost ? job_state::cancelled : outcome.state};
  if (wish != user_wish::none && !interrupted && outcome.state == job_state::cancelled)
    interrupted = attempt_end::suspended; // its worker was asked to end it, and knows no other word
  job_waits waits{.retries = job.retries, .batch_max = job.batch_max, .items_max = job.items_max};
  const bool out_of_memory = outcome.why_failed && outcome.why_failed->kind == failure_kind::oom;
  if (interrupted) {
    waits.how = *interrupted;
    if (waits.how == attempt_end::part_done)
      waits.batch_max = 0; // it was not at fault
    else if (outcome.batch_max > 0)
      waits.batch_max = outcome.batch_max;
  } else if (outcome.state == job_state::failed && out_of_memory && outcome.may_retry && type && job.items_in_all > 0 &&
             job.items > 1) {
    waits.how = attempt_end::regrouped;
    waits.items_max = std::min(job.items / 2, limits::batch_items_max / 2);
  } else if (outcome.state == job_state::failed && outcome.why_failed && outcome.may_retry && type &&
             job.retries < retries_allowed(type->retry, outcome.why_failed->kind)) {
    waits.how = attempt_end::retried;
    waits.retries = job.retries + 1;
    waits.not_before = now + backoff(type->retry, job.id, waits.retries);
  } else {
    return job_ends{outcome.state};
  }
  if (wish == user_wish::suspend || (wish != user_wish::resume && waits.how == attempt_end::suspended)) {
    waits.held = true;
    waits.held_for = suspended_reason;
  }
  return waits;
}

} // namespace ferry::scheduling
