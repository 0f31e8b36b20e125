#include "model/job_state.hpp"

namespace ferry {

std::optional<job_state> next_state(job_state from, job_event event) {
  using enum job_state;
  switch (event) {
  case job_event::start: return from == queued ? std::optional{running} : std::nullopt;
  case job_event::requeue:
  case job_event::again: return from == running ? std::optional{queued} : std::nullopt;
  case job_event::complete: return from == running ? std::optional{completed} : std::nullopt;
  case job_event::fail: return from == running ? std::optional{failed} : std::nullopt;
  case job_event::cancel: return from == queued || from == running ? std::optional{cancelled} : std::nullopt;
  case job_event::retry: return from == failed || from == cancelled ? std::optional{queued} : std::nullopt;
  }
  return std::nullopt;
}

std::string_view to_string(job_state s) {
  switch (s) {
  case job_state::queued: return "queued";
  case job_state::running: return "running";
  case job_state::completed: return "completed";
  case job_state::failed: return "failed";
  case job_state::cancelled: return "cancelled";
  }
  return "unknown";
}

std::string_view to_string(job_event e) {
  switch (e) {
  case job_event::start: return "start";
  case job_event::requeue: return "requeue";
  case job_event::again: return "again";
  case job_event::complete: return "complete";
  case job_event::fail: return "fail";
  case job_event::cancel: return "cancel";
  case job_event::retry: return "retry";
  }
  return "unknown";
}

std::optional<job_state> job_state_from(std::string_view name) {
  for (job_state s : all_job_states)
    if (to_string(s) == name)
      return s;
  return std::nullopt;
}

} // namespace ferry
