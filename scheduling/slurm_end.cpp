#include "scheduling/slurm_end.hpp"

namespace ferry::scheduling {

slurm_end judge_slurm_end(std::string_view state, const std::string& where, const config::job_type* type) {
  const std::string told = where + " (" + std::string(state.empty() ? "unknown to Slurm by now" : state) + ")";
  const auto broken = [](failure_kind kind, std::string message) {
    return slurm_end{.broken = failure{.kind = kind, .message = std::move(message)}};
  };
  if (state == "TIMEOUT" || state == "DEADLINE")
    return {.stopped_by = to_text({.cause = stop_cause::timeout,
                                   .may_retry = type && type->watch.on_max_run_time == config::watch_action::retry,
                                   .why = "Slurm's time limit ended " + told})};
  if (state == "PREEMPTED")
    return {.stopped_by = to_text({.cause = stop_cause::preempt})};
  if (state == "OUT_OF_MEMORY")
    return broken(failure_kind::oom, "Slurm ended " + told + ": it took more memory than it had asked for");
  if (state == "NODE_FAIL" || state == "BOOT_FAIL")
    return broken(failure_kind::lost, "its node failed: " + told);
  if (state == "CANCELLED")
    return {.for_good = failure{.kind = failure_kind::lost, .message = "somebody cancelled it in Slurm: " + told}};
  return broken(failure_kind::lost, "its supervisor vanished and left no record of how the run ended: " + told);
}

} // namespace ferry::scheduling
