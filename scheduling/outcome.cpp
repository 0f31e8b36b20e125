#include "scheduling/outcome.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>

namespace ferry::scheduling {
namespace {

failure failure_of(const run_ending& ending) {
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

struct cause_name {
  stop_cause cause;
  std::string_view name;
};
constexpr std::array<cause_name, 7> cause_names{{{stop_cause::cancel, "cancel"},
                                                 {stop_cause::timeout, "timeout"},
                                                 {stop_cause::metric, "metric"},
                                                 {stop_cause::device, "device"},
                                                 {stop_cause::preempt, "preempt"},
                                                 {stop_cause::suspend, "suspend"},
                                                 {stop_cause::lease, "lease"}}};
constexpr std::string_view retry_mark = ", retry";

failure failure_of(const stop_reason& reason) {
  switch (reason.cause) {
  case stop_cause::metric: return {.kind = failure_kind::metric, .message = reason.why};
  case stop_cause::device: return {.kind = failure_kind::device, .message = reason.why};
  case stop_cause::lease: return {.kind = failure_kind::lost, .message = reason.why};
  default:
    return {.kind = failure_kind::timeout, .message = reason.why.empty() ? "ran longer than its type's max_run_time" : reason.why};
  }
}

bool has_checkpoint(const job_report& report) {
  return std::any_of(report.notes.begin(), report.notes.end(), [](const run_note& n) { return n.what == note_kind::checkpoint; });
}

json result_of(const job_report& report) {
  json left = report.result.value_or(nullptr);
  if (report.artifacts.empty())
    return left;
  if (left.is_null())
    left = json::object();
  if (left.is_object() && !left.contains("artifacts"))
    left["artifacts"] = report.artifacts;
  return left;
}

} // namespace

std::string to_text(const stop_reason& reason) {
  std::string text;
  for (const auto& [cause, name] : cause_names)
    if (cause == reason.cause)
      text = name;
  if (reason.may_retry)
    text += retry_mark;
  return reason.why.empty() ? text : text + ": " + reason.why;
}

std::optional<stop_reason> stop_reason_from(std::string_view text) {
  const auto colon = text.find(": ");
  std::string_view head = text.substr(0, colon);
  stop_reason reason;
  if (colon != std::string_view::npos)
    reason.why = text.substr(colon + 2);
  if (head.ends_with(retry_mark)) {
    reason.may_retry = true;
    head.remove_suffix(retry_mark.size());
  }
  for (const auto& [cause, name] : cause_names)
    if (name == head) {
      reason.cause = cause;
      return reason;
    }
  return std::nullopt;
}

job_outcome judge(const run_ending& ending, const job_report& report) {
  job_outcome outcome{.result = result_of(report), .notes = report.notes, .step = report.step, .ended = ending.at};
  const auto failed = [&](failure why, bool may_retry) {
    outcome.state = job_state::failed;
    outcome.why_failed = std::move(why);
    outcome.may_retry = may_retry;
    return outcome;
  };
  if (report.has_ended) {
    outcome.ended = report.ended;
    if (report.was_cancelled)
      outcome.state = job_state::cancelled;
    return report.why_failed ? failed(*report.why_failed, true) : outcome;
  }
  if (ending.damaged)
    return failed(*ending.damaged, false);
  const auto failed_together = [&](failure why, bool may_retry) {
    if (ending.jobs_in_all == 1)
      return failed(std::move(why), may_retry);
    outcome.interrupted = attempt_end::regrouped;
    outcome.why_failed = std::move(why);
    outcome.batch_max = (ending.jobs_left + 1) / 2;
    return outcome;
  };
  if (const auto stopped = stop_reason_from(ending.stopped_by)) {
    if (!report.stop_is_its) {
      outcome.interrupted = attempt_end::regrouped;
      return outcome;
    }
    const bool is_done = report.result && !report.why_failed && ending.exit_status == 0;
    switch (stopped->cause) {
    case stop_cause::cancel: outcome.state = job_state::cancelled; return outcome;
    case stop_cause::preempt:
    case stop_cause::suspend:
      if (!is_done)
        outcome.interrupted = stopped->cause == stop_cause::preempt ? attempt_end::preempted : attempt_end::suspended;
      return outcome;
    case stop_cause::device: return failed(failure_of(*stopped), stopped->may_retry);
    case stop_cause::lease: return is_done ? outcome : failed(failure_of(*stopped), stopped->may_retry); // no job is at fault
    default: return failed_together(failure_of(*stopped), stopped->may_retry);
    }
  }
  if (report.why_failed)
    return failed(*report.why_failed, true);
  if (ending.exit_status == exit_to_be_continued && has_checkpoint(report)) {
    outcome.interrupted = attempt_end::continued;
    return outcome;
  }
  if (ending.launch_failure)
    return failed(*ending.launch_failure, true);
  if (ending.broken)
    return failed_together(*ending.broken, true);
  if (ending.lost || ending.exit_status != 0)
    return failed_together(failure_of(ending), true);
  return outcome;
}

job_outcome judge_unlaunched(const stop_reason& stopped, bool is_its) {
  if (!is_its)
    return {.interrupted = attempt_end::regrouped};
  return judge({.exit_status = 0, .stopped_by = to_text(stopped)}, {});
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
