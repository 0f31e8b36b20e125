#include "cli/timeline.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ferry;
using namespace ferry::cli;

namespace {

std::string words(const char* what, json detail = json::object()) {
  return entry_in_words({{"at", "2026-01-31T12:00:00.000Z"}, {"what", what}, {"detail", std::move(detail)}});
}

} // namespace

TEST_CASE("what happened to a job is said in words") {
  CHECK(words("job_queued") == "queued");
  CHECK(words("batch_started", {{"attempt", 2}, {"device", "cpu"}, {"batch", 9}}) == "attempt 2 starts on cpu, batch 9");
  CHECK(words("checkpoint_saved", {{"path", "out/c.pt"}, {"step", 500}}) == "checkpoint at step 500: out/c.pt");
  CHECK(words("attempt_resumed", {{"path", "/runs/1/c.pt"}, {"step", 500}}) == "continues at step 500: /runs/1/c.pt");
  CHECK(words("attempt_ended", {{"how", "preempted"}, {"step", 700}}) == "preempted at step 700");
  CHECK(words("attempt_ended", {{"how", "continued"}}) == "to be continued");
  CHECK(words("attempt_ended", {{"how", "retried"},
                                {"not_before", to_unix_ms(from_unix_ms(1'769'860'800'000) + std::chrono::seconds(12))},
                                {"failure", {{"message", "ended with status 1"}}}}) == "retried, in 12 s: ended with status 1");
  CHECK(words("run_warned", {{"why", "no step for 5 m"}, {"action", "warn"}}) == "no step for 5 m (warn)");
  CHECK(words("job_held", {{"reason", "suspended"}}) == "held: suspended");
  CHECK(words("job_retried", {{"from_scratch", true}}) == "queued again, from scratch");
  CHECK(words("batch_requeued", {{"reason", "no room"}}) == "queued again, it had not started: no room");
  CHECK(words("job_finished", {{"state", "failed"}, {"failure", {{"message", "lost"}}}}) == "failed: lost");
  CHECK(words("of_a_newer_daemon") == "of_a_newer_daemon");
}

TEST_CASE("a long timeline shows its end and says how much came before") {
  json history = json::array();
  for (int i = 0; i < 50; ++i)
    history.push_back({{"at", "2026-01-31T12:00:00.000Z"}, {"what", "checkpoint_saved"}, {"detail", {{"path", "c"}, {"step", i}}}});
  const std::string block = timeline_block(history, {});
  CHECK(block.find("20 before") != std::string::npos);
  CHECK(block.find("at step 19:") == std::string::npos);
  CHECK(block.find("at step 49:") != std::string::npos);
  CHECK(timeline_block(json::array(), {}).empty());
}
