#include "scheduling/outcome.hpp"

#include <csignal>
#include <cstring>

namespace ferry::scheduling {
namespace {

failure failure_of(const run_ending& ending) {
  if (ending.launch_failure)
    return *ending.launch_failure;
  if (ending.lost)
    return {.kind = failure_kind::lost, .message = "its supervisor vanished and left no record of how the run ended"};
  if (ending.signal) {
    const char* name = sigdescr_np(*ending.signal);
    std::string text = "ended by signal " + std::to_string(*ending.signal) + (name ? " (" + std::string(name) + ")" : "");
    if (*ending.signal == SIGKILL)
      text += "; ferry did not send it: the kernel may have run out of memory";
    return {.kind = failure_kind::signal, .message = text, .signal = ending.signal};
  }
  const int status = ending.exit_status.value_or(-1);
  return {.kind = failure_kind::exit_status, .message = "ended with status " + std::to_string(status), .exit_status = status};
}

} // namespace

job_outcome judge(const run_ending& ending, const job_report& report) {
  job_outcome outcome;
  outcome.result = report.result.value_or(nullptr);
  if (!report.artifacts.empty()) {
    if (outcome.result.is_null())
      outcome.result = json::object();
    if (outcome.result.is_object() && !outcome.result.contains("artifacts"))
      outcome.result["artifacts"] = report.artifacts;
  }
  if (ending.stopped_by == stopped_by_cancel) {
    outcome.state = job_state::cancelled;
  } else if (ending.stopped_by == stopped_by_timeout) {
    outcome.state = job_state::failed;
    outcome.why_failed = failure{.kind = failure_kind::timeout, .message = "ran longer than its type's max_run_time"};
  } else if (report.why_failed) {
    outcome.state = job_state::failed;
    outcome.why_failed = report.why_failed;
  } else if (ending.lost || ending.launch_failure || ending.exit_status != 0) {
    outcome.state = job_state::failed;
    outcome.why_failed = failure_of(ending);
  }
  return outcome;
}

reconciliation reconcile(run_sighting sighting) {
  switch (sighting) {
  case run_sighting::absent:
  case run_sighting::never_started: return reconciliation::requeue;
  case run_sighting::alive: return reconciliation::adopt;
  case run_sighting::over: return reconciliation::harvest;
  case run_sighting::lost:
  case run_sighting::damaged: return reconciliation::give_up;
  }
  return reconciliation::give_up;
}

} // namespace ferry::scheduling
