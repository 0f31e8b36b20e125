#include "scheduling/slurm_end.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ferry;
using namespace ferry::scheduling;

namespace {

// As the executor judges a run that left no record.
job_outcome outcome_of(std::string_view state, int jobs = 1, const config::job_type& type = {}) {
  const auto end = judge_slurm_end(state, "Slurm job 12 on n1", &type);
  return judge(
      {.stopped_by = end.stopped_by, .damaged = end.for_good, .broken = end.broken, .jobs_left = jobs, .jobs_in_all = jobs}, {});
}

} // namespace

TEST_CASE("each end in Slurm has its kind of failure, and says where it happened") {
  struct expectation {
    const char* state;
    failure_kind kind;
    bool may_retry;
    const char* says;
  };
  for (const auto& [state, kind, may_retry, says] :
       {expectation{"NODE_FAIL", failure_kind::lost, true, "its node failed: Slurm job 12 on n1 (NODE_FAIL)"},
        {"BOOT_FAIL", failure_kind::lost, true, "its node failed"},
        {"OUT_OF_MEMORY", failure_kind::oom, true, "more memory than it had asked for"},
        {"TIMEOUT", failure_kind::timeout, false, "Slurm's time limit ended Slurm job 12 on n1 (TIMEOUT)"},
        {"DEADLINE", failure_kind::timeout, false, "Slurm's time limit"},
        {"CANCELLED", failure_kind::lost, false, "somebody cancelled it in Slurm"},
        {"FAILED", failure_kind::lost, true, "left no record of how the run ended: Slurm job 12 on n1 (FAILED)"},
        {"", failure_kind::lost, true, "unknown to Slurm by now"}}) {
    CAPTURE(state);
    const auto outcome = outcome_of(state);
    CHECK(outcome.state == job_state::failed);
    REQUIRE(outcome.why_failed);
    CHECK(outcome.why_failed->kind == kind);
    CHECK(outcome.may_retry == may_retry);
    CHECK_FALSE(outcome.interrupted);
    INFO(outcome.why_failed->message);
    CHECK(outcome.why_failed->message.find(says) != std::string::npos);
  }
}

TEST_CASE("what ran too long for Slurm is tried again where its type says so of its own limit") {
  config::job_type type;
  type.watch.on_max_run_time = config::watch_action::retry;
  CHECK(outcome_of("TIMEOUT", 1, type).may_retry);
}

TEST_CASE("what Slurm preempted goes on later, and of a batch that ran out of memory nobody is at fault yet") {
  CHECK(outcome_of("PREEMPTED").interrupted == attempt_end::preempted);
  const auto divided = outcome_of("OUT_OF_MEMORY", 4);
  CHECK(divided.interrupted == attempt_end::regrouped);
  CHECK(divided.batch_max == 2);
}
