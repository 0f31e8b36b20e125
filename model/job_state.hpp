// The job's state machine: five states and the events that lead from one to the next. docs/state_machine.md draws it and a test
// compares the two. A held, delayed or dependent job is `queued`; phases of a running job are detail, not states.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace ferry {

// The numbers are stored; append only.
enum class job_state { queued = 0, running = 1, completed = 2, failed = 3, cancelled = 4 };

enum class job_event {
  start,    // its batch is on disk as started and goes to a device
  requeue,  // the batch never started: back in line, no attempt counted
  again,    // its attempt is over and another is due: retried by policy, preempted, suspended, or to be continued
  complete, // its work succeeded
  fail,     // its work failed, was lost or ran out of time
  cancel,   // a user ended it and nothing of it lives
  retry,    // a user wants another attempt
};

inline constexpr std::array all_job_states{job_state::queued, job_state::running, job_state::completed, job_state::failed,
                                           job_state::cancelled};
inline constexpr std::array all_job_events{job_event::start, job_event::requeue, job_event::again, job_event::complete,
                                           job_event::fail,  job_event::cancel,  job_event::retry};

// The state after `event`, or nothing where the event is not allowed in `from`.
[[nodiscard]] std::optional<job_state> next_state(job_state from, job_event event);

[[nodiscard]] constexpr bool is_finished(job_state s) { return s != job_state::queued && s != job_state::running; }

[[nodiscard]] std::string_view to_string(job_state s);
[[nodiscard]] std::string_view to_string(job_event e);
[[nodiscard]] std::optional<job_state> job_state_from(std::string_view name);

} // namespace ferry
