#include "scheduling/attempts.hpp"
#include "scheduling/failure_storm.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ferry;
using namespace ferry::scheduling;
using namespace std::chrono_literals;

namespace {

const instant now = from_unix_ms(1'000'000);

config::job_type type_that_retries(int times) {
  config::job_type type;
  type.retry = {.exit_status = times, .signal = 0, .lost = times, .delay = 10s, .delay_max = 60s};
  return type;
}

job_outcome failed(failure_kind kind) { return {.state = job_state::failed, .why_failed = failure{.kind = kind, .message = "m"}}; }

queued_job tried(int retries) { return {.id = {7}, .retries = static_cast<std::uint8_t>(retries)}; }

} // namespace

TEST_CASE("a failed attempt is tried again as often as its kind of failure allows") {
  const auto type = type_that_retries(2);
  for (const int retries : {0, 1}) {
    const auto after = decide_after(failed(failure_kind::exit_status), tried(retries), &type, user_wish::none, now);
    const auto* waits = std::get_if<job_waits>(&after);
    REQUIRE(waits);
    CHECK(waits->how == attempt_end::retried);
    CHECK(waits->retries == retries + 1);
    CHECK(waits->not_before == now + backoff(type.retry, {7}, retries + 1));
    CHECK_FALSE(waits->held);
  }
  const auto ends = [&](failure_kind kind, int retries) {
    return std::holds_alternative<job_ends>(decide_after(failed(kind), tried(retries), &type, user_wish::none, now));
  };
  CHECK(ends(failure_kind::exit_status, 2));
  CHECK(ends(failure_kind::signal, 0));
  CHECK(ends(failure_kind::input, 0));
  CHECK(ends(failure_kind::launch, 0));
  CHECK_FALSE(ends(failure_kind::lost, 1));
}

TEST_CASE("nothing is tried again that was cancelled, completed, ruled final, or whose type is gone") {
  const auto type = type_that_retries(5);
  const auto ends = [&](const job_outcome& outcome, const config::job_type* of, user_wish wish) {
    return std::holds_alternative<job_ends>(decide_after(outcome, tried(0), of, wish, now));
  };
  CHECK(ends(failed(failure_kind::lost), &type, user_wish::cancel));
  CHECK(ends(failed(failure_kind::lost), nullptr, user_wish::none));
  CHECK(ends({}, &type, user_wish::none));
  auto final_failure = failed(failure_kind::timeout);
  final_failure.may_retry = false;
  CHECK(ends(final_failure, &type, user_wish::none));
  CHECK(ends({.interrupted = attempt_end::preempted}, &type, user_wish::cancel));
}

TEST_CASE("what a user suspended waits held, however its attempt ended; what has ended has ended") {
  const auto type = type_that_retries(2);
  const auto after = [&](const job_outcome& outcome, user_wish wish) { return decide_after(outcome, tried(0), &type, wish, now); };
  const auto waits = [&](const job_outcome& outcome, user_wish wish) { return std::get<job_waits>(after(outcome, wish)); };
  const job_outcome lost = failed(failure_kind::lost), ended_by_worker{.state = job_state::cancelled};
  CHECK(waits(lost, user_wish::suspend).held);
  CHECK(waits(lost, user_wish::suspend).held_for == suspended_reason);
  CHECK(waits(lost, user_wish::suspend).how == attempt_end::retried);
  CHECK(waits(ended_by_worker, user_wish::suspend).how == attempt_end::suspended);
  CHECK(waits(ended_by_worker, user_wish::suspend).held);
  CHECK(std::holds_alternative<job_ends>(after({}, user_wish::suspend)));
}

TEST_CASE("a job that was resumed before it had left goes on at once, and is not cancelled") {
  const auto type = type_that_retries(2);
  for (const auto& outcome : {job_outcome{.interrupted = attempt_end::suspended}, job_outcome{.state = job_state::cancelled}}) {
    const auto waits = std::get<job_waits>(decide_after(outcome, tried(0), &type, user_wish::resume, now));
    CHECK(waits.how == attempt_end::suspended);
    CHECK_FALSE(waits.held);
    CHECK(waits.held_for.empty());
  }
}

TEST_CASE("what was interrupted waits without a backoff and without using up a retry; suspended jobs are held") {
  const auto type = type_that_retries(0);
  for (const auto how : {attempt_end::preempted, attempt_end::continued, attempt_end::suspended}) {
    const auto after = decide_after({.interrupted = how}, tried(3), &type, user_wish::none, now);
    const auto* waits = std::get_if<job_waits>(&after);
    REQUIRE(waits);
    CHECK(waits->how == how);
    CHECK(waits->retries == 3);
    CHECK_FALSE(waits->not_before);
    CHECK(waits->held == (how == attempt_end::suspended));
  }
}

TEST_CASE("the backoff doubles up to its bound, differs between jobs, and is the same each time") {
  const config::retry_policy policy{.delay = 10s, .delay_max = 60s};
  const std::array<std::pair<int, duration>, 5> middle{{{1, 10s}, {2, 20s}, {3, 40s}, {4, 60s}, {100, 60s}}};
  for (const auto& [retry, about] : middle)
    for (std::int64_t job = 1; job <= 200; ++job) {
      const auto delay = backoff(policy, {job}, retry);
      REQUIRE(delay >= about * 8 / 10);
      REQUIRE(delay <= about * 12 / 10);
      REQUIRE(delay == backoff(policy, {job}, retry));
    }
  int different = 0;
  for (std::int64_t job = 1; job <= 100; ++job)
    different += backoff(policy, {job}, 1) != backoff(policy, {job + 1}, 1) ? 1 : 0;
  CHECK(different > 90);
  CHECK(backoff({.delay = 0s}, {1}, 3) == 0s);
}

TEST_CASE("so many failures one after the other hold a type; a success, bad input and time do not count") {
  config::job_type type;
  type.failure_storm = 3;
  type.failure_storm_window = 60s;
  const failure why{.kind = failure_kind::exit_status, .message = "ended with status 1"};
  failure_storm storm;
  const auto fails = [&](std::int64_t at_s) {
    return storm.job_ended(type, job_state::failed, why, from_unix_ms(at_s * 1000)).has_value();
  };
  CHECK_FALSE(fails(1));
  CHECK_FALSE(fails(2));
  CHECK_FALSE(storm.job_ended(type, job_state::completed, {}, from_unix_ms(3000)));
  CHECK_FALSE(fails(4));
  CHECK_FALSE(fails(5));
  for (const auto other : {failure_kind::input, failure_kind::lost, failure_kind::device}) // a reboot takes many at once
    CHECK_FALSE(storm.job_ended(type, job_state::failed, failure{.kind = other, .message = "x"}, from_unix_ms(6000)));
  CHECK_FALSE(storm.job_ended(type, job_state::cancelled, {}, from_unix_ms(6000)));
  CHECK_FALSE(fails(70)); // 4 and 5 are too long ago
  CHECK_FALSE(fails(71));
  const auto reason = storm.job_ended(type, job_state::failed, why, from_unix_ms(72'000));
  CHECK(reason == "3 of its jobs failed one after the other within 1 m 0 s; the last: ended with status 1");
  CHECK_FALSE(fails(73)); // counted anew
  type.failure_storm = 0;
  for (int i = 0; i < 10; ++i)
    CHECK_FALSE(fails(74));
}
