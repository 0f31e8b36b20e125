#include "scheduling/explain.hpp"
#include "scheduling/outcome.hpp"

#include <catch2/catch_test_macros.hpp>
#include <csignal>

using namespace ferry;
using namespace ferry::scheduling;

TEST_CASE("exit status 0 alone is success") {
  CHECK(judge({.exit_status = 0}, {}).state == job_state::completed);
  const auto failed = judge({.exit_status = 3}, {});
  CHECK(failed.state == job_state::failed);
  CHECK(failed.why_failed->message == "ended with status 3");
  CHECK(failed.why_failed->exit_status == 3);
}

TEST_CASE("a job that reported a failure has failed whatever its status") {
  const failure oom{.kind = failure_kind::oom, .message = "out of memory"};
  CHECK(judge({.exit_status = 0}, {.why_failed = oom}).why_failed == oom);
}

TEST_CASE("a run that was stopped ends for the reason it was stopped for") {
  CHECK(judge({.exit_status = 0, .stopped_by = "cancel"}, {}).state == job_state::cancelled);
  CHECK(judge({.signal = SIGTERM, .stopped_by = "cancel"}, {}).state == job_state::cancelled);
  const auto late = judge({.signal = SIGKILL, .stopped_by = "timeout"}, {});
  CHECK(late.state == job_state::failed);
  CHECK(late.why_failed->kind == failure_kind::timeout);
}

TEST_CASE("the reason for a stop survives as text, whoever reads it") {
  for (const stop_reason& reason :
       {stop_reason{stop_cause::cancel}, stop_reason{stop_cause::timeout, true, "silent for 5 m: too long"},
        stop_reason{stop_cause::device, true, "Xid 79"}, stop_reason{stop_cause::suspend},
        stop_reason{stop_cause::metric, false, "loss is nan"}}) {
    CAPTURE(to_text(reason));
    const auto read = stop_reason_from(to_text(reason));
    REQUIRE(read);
    CHECK(read->cause == reason.cause);
    CHECK(read->may_retry == reason.may_retry);
    CHECK(read->why == reason.why);
  }
  CHECK_FALSE(stop_reason_from("stopped"));
  CHECK_FALSE(stop_reason_from(""));
  const auto silent = judge({.signal = SIGKILL, .stopped_by = "timeout, retry: silent"}, {});
  CHECK(silent.may_retry);
  CHECK(silent.why_failed->message == "silent");
  CHECK_FALSE(judge({.signal = SIGKILL, .stopped_by = "timeout: too long"}, {}).may_retry);
}

TEST_CASE("a preempted or suspended run goes on later, unless it had finished its work") {
  CHECK(judge({.signal = SIGTERM, .stopped_by = "preempt"}, {}).interrupted == attempt_end::preempted);
  CHECK(judge({.exit_status = 75, .stopped_by = "suspend"}, {}).interrupted == attempt_end::suspended);
  CHECK(judge({.exit_status = 0, .stopped_by = "suspend"}, {}).interrupted == attempt_end::suspended);
  const auto done = judge({.exit_status = 0, .stopped_by = "preempt"}, {.result = json{{"loss", 0.1}}});
  CHECK_FALSE(done.interrupted);
  CHECK(done.state == job_state::completed);
}

TEST_CASE("a run that its node's lease ended is lost and tried again, together with whoever ran in it, unless it had finished") {
  const std::string ended(lease_ended_text);
  const auto reason = stop_reason_from(ended);
  REQUIRE(reason);
  CHECK(reason->cause == stop_cause::lease);
  CHECK(to_text(*reason) == ended);
  for (const int jobs : {1, 4}) {
    const auto lost = judge({.signal = SIGKILL, .stopped_by = ended, .jobs_left = jobs, .jobs_in_all = jobs}, {});
    CHECK(lost.state == job_state::failed);
    CHECK(lost.why_failed->kind == failure_kind::lost);
    CHECK(lost.may_retry);
    CHECK_FALSE(lost.interrupted);
  }
  const failure refused{.kind = failure_kind::lost, .message = "its node's lease had ended"};
  CHECK(judge({.launch_failure = refused, .stopped_by = ended}, {}).why_failed->kind == failure_kind::lost);
  CHECK(judge({.exit_status = 0, .stopped_by = ended}, {.result = json{{"loss", 0.1}}}).state == job_state::completed);
}

TEST_CASE("status 75 says to be continued only after a checkpoint, so that nothing goes round for ever") {
  CHECK(judge({.exit_status = 75}, {.notes = {{note_kind::checkpoint, {}, {{"path", "a"}}}}}).interrupted ==
        attempt_end::continued);
  const auto failed = judge({.exit_status = 75}, {.notes = {{note_kind::started, {}}}});
  CHECK_FALSE(failed.interrupted);
  CHECK(failed.why_failed->exit_status == 75);
}

TEST_CASE("signals, launch failures and lost runs are told apart") {
  CHECK(judge({.signal = SIGSEGV}, {}).why_failed->kind == failure_kind::signal);
  CHECK(judge({.lost = true}, {}).why_failed->kind == failure_kind::lost);
  const failure launch{.kind = failure_kind::launch, .message = "no such program"};
  CHECK(judge({.launch_failure = launch}, {}).why_failed == launch);
}

TEST_CASE("the result is what the job reported, and the files it left") {
  const json files = json::parse(R"([{"path":"a.png","bytes":3}])");
  CHECK(judge({.exit_status = 0}, {.artifacts = files}).result == json{{"artifacts", files}});
  CHECK(judge({.exit_status = 0}, {.result = json{{"loss", 0.5}}, .artifacts = files}).result ==
        json{{"loss", 0.5}, {"artifacts", files}});
  CHECK(judge({.exit_status = 0}, {}).result == nullptr);
}

TEST_CASE("what never started is queued again, what ended is harvested, what is gone is given up") {
  CHECK(reconcile(run_sighting::absent) == reconciliation::requeue);
  CHECK(reconcile(run_sighting::never_started) == reconciliation::requeue);
  CHECK(reconcile(run_sighting::alive) == reconciliation::adopt);
  CHECK(reconcile(run_sighting::over) == reconciliation::harvest);
  CHECK(reconcile(run_sighting::lost) == reconciliation::give_up);
  CHECK(reconcile(run_sighting::damaged) == reconciliation::give_up);
}

TEST_CASE("why a job waits is said from what decides") {
  config::job_type type;
  type.name = "t";
  const std::vector<device> devices{{.id = "cpu", .slots = 2, .memory_mib = 100}};
  const queued_job job{.id = {5}};
  CHECK(why_waiting(job, 1, &type, devices, {}) == "the next free slot");
  CHECK(why_waiting(job, 2, &type, devices, {}) == "1 job before it");
  CHECK(why_waiting(job, 9, &type, devices, {}) == "8 jobs before it");
  CHECK(why_waiting(job, 9, &type, devices, {.paused = true}) == "the queue is paused");
  CHECK(why_waiting(job, 9, nullptr, devices, {}) == "its type is no longer configured");
  auto held = job;
  held.held = true;
  CHECK(why_waiting(held, std::nullopt, &type, devices, {}) == "it is held");
  const std::string reason = "suspended";
  CHECK(why_waiting(held, std::nullopt, &type, devices, {.held_for = &reason}) == "it is held: suspended");
  CHECK(why_waiting(job, 1, &type, devices, {.type_held = &reason}) == "its type is held: suspended");
  CHECK(why_waiting(job, std::nullopt, &type, devices, {.not_before = from_unix_ms(0)}) ==
        "it is not to start before 1970-01-01T00:00:00.000Z");
  auto tried = job;
  tried.tried = true;
  CHECK(why_waiting(tried, std::nullopt, &type, devices, {.not_before = from_unix_ms(0)}) ==
        "it is tried again at 1970-01-01T00:00:00.000Z");
}
