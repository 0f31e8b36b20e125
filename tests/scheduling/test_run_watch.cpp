#include "scheduling/run_watch.hpp"

#include <catch2/catch_test_macros.hpp>
#include <limits>

using namespace ferry;
using namespace ferry::scheduling;
using namespace std::chrono_literals;
using config::watch_action;

namespace {

instant at(std::int64_t seconds) { return from_unix_ms(seconds * 1000); }

std::string rules_of(const std::vector<finding>& found) {
  std::string names;
  for (const finding& f : found)
    names += (names.empty() ? "" : " ") + f.rule;
  return names;
}

std::vector<config::metric_rule> rules(std::initializer_list<const char*> texts) {
  std::vector<config::metric_rule> all;
  for (const char* text : texts)
    all.push_back(*config::parse_metric_rule(text));
  return all;
}

progress step(std::int64_t n, std::map<std::string, double> metrics = {}) { return {.step = n, .metrics = std::move(metrics)}; }

} // namespace

TEST_CASE("a run that exceeds its time is found once, with the bound") {
  run_watch watch({.max_run_time = 60s}, {}, at(0));
  CHECK(watch.next_look() == at(60));
  watch.sign_of_life(at(59));
  CHECK(watch.look(at(59)).empty());
  const auto found = watch.look(at(60));
  REQUIRE(found.size() == 1);
  CHECK(found[0].action == watch_action::fail);
  CHECK(found[0].kind == failure_kind::timeout);
  CHECK(found[0].why == "ran longer than max_run_time 1 m 0 s");
  CHECK(watch.look(at(61)).empty());
  CHECK_FALSE(watch.next_look());
}

TEST_CASE("any sign of life satisfies the heartbeat, and silence breaks it again") {
  run_watch watch({.heartbeat = 10s, .on_heartbeat = watch_action::warn}, {}, at(0));
  watch.sign_of_life(at(8));
  CHECK(watch.next_look() == at(18));
  CHECK(watch.look(at(17)).empty());
  watch.progressed(step(1), at(17));
  watch.sign_of_life(at(3)); // an old one changes nothing
  CHECK(watch.look(at(26)).empty());
  CHECK(rules_of(watch.look(at(27))) == "heartbeat");
  CHECK(watch.look(at(40)).empty()); // said already
  watch.sign_of_life(at(41));
  CHECK(watch.look(at(42)).empty());
  CHECK(rules_of(watch.look(at(51))) == "heartbeat");
}

TEST_CASE("until the first sign of life the start time counts instead of the heartbeat") {
  run_watch slow({.max_start_time = 100s, .heartbeat = 5s}, {}, at(0));
  CHECK(slow.look(at(50)).empty());
  CHECK(rules_of(slow.look(at(100))) == "max_start_time");
  run_watch quick({.max_start_time = 100s, .heartbeat = 5s}, {}, at(0));
  quick.sign_of_life(at(90));
  CHECK(quick.look(at(94)).empty());
  CHECK(rules_of(quick.look(at(95))) == "heartbeat");
}

TEST_CASE("a step that takes many times the median is a stall; slow but steady steps are none") {
  run_watch watch({.stall_factor = 20, .on_stall = watch_action::retry}, {}, at(0));
  for (std::int64_t n = 1; n <= 10; ++n)
    watch.progressed(step(n), at(n * 2)); // two seconds a step
  CHECK(watch.next_look() == at(20 + 40));
  CHECK(watch.look(at(59)).empty());
  const auto found = watch.look(at(60));
  REQUIRE(rules_of(found) == "stall_factor");
  CHECK(found[0].action == watch_action::retry);
  CHECK(found[0].why.find("no step since step 10") == 0);
  watch.progressed(step(11), at(61));
  CHECK(watch.look(at(62)).empty());

  run_watch fast({.stall_factor = 5}, {}, at(0));
  for (std::int64_t n = 1; n <= 50; ++n)
    fast.progressed(step(n), from_unix_ms(n * 10)); // a hundred a second: five times that means nothing
  CHECK(fast.look(at(9)).empty());
  CHECK(rules_of(fast.look(at(11))) == "stall_factor");
}

TEST_CASE("too few steps give no median, and steps of another phase do not count") {
  run_watch watch({.stall_factor = 2}, {}, at(0));
  for (std::int64_t n = 1; n <= 4; ++n)
    watch.progressed(step(n), at(n));
  CHECK(watch.look(at(1000)).empty());
  watch.progressed(step(1), at(1001)); // begins again
  CHECK(watch.look(at(2000)).empty());
}

TEST_CASE("a GPU that is held and left idle is found, one that works or holds nothing is not") {
  run_watch watch({.idle_gpu = 60s}, {}, at(0));
  watch.gpu_used({.memory_used_mib = 10, .utilization_percent = 0}, at(10));
  CHECK(watch.look(at(100)).empty());
  watch.gpu_used({.memory_used_mib = 4000, .utilization_percent = 0}, at(100));
  watch.gpu_used({.memory_used_mib = 4000, .utilization_percent = 0}, at(130));
  CHECK(watch.next_look() == at(160));
  watch.gpu_used({.memory_used_mib = 4000, .utilization_percent = 7}, at(150));
  CHECK(watch.look(at(161)).empty());
  watch.gpu_used({.memory_used_mib = 4000, .utilization_percent = 0}, at(170));
  CHECK(rules_of(watch.look(at(230))) == "idle_gpu");
}

TEST_CASE("metric rules find NaN, infinity and bounds, as often in a row as they ask for") {
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  run_watch watch({}, rules({"loss is nan: fail", "loss > 100 for 3: warn", "lr < 1e-9: retry", "grad is inf: warn"}), at(0));
  watch.progressed(step(1, {{"loss", 0.5}, {"lr", 1e-4}}), at(1));
  CHECK(watch.look(at(1)).empty());
  for (std::int64_t n = 2; n <= 3; ++n)
    watch.progressed(step(n, {{"loss", 200}}), at(n));
  CHECK(watch.look(at(3)).empty());
  watch.progressed(step(4, {{"loss", 300}, {"lr", 0}}), at(4));
  CHECK(rules_of(watch.look(at(4))) == "loss > 100 for 3: warn lr < 1e-9: retry");
  watch.progressed(step(5, {{"loss", nan}, {"grad", -inf}, {"lr", 1}}), at(5));
  const auto found = watch.look(at(5));
  REQUIRE(rules_of(found) == "loss is nan: fail grad is inf: warn");
  CHECK(found[0].kind == failure_kind::metric);
  CHECK(found[0].why == "loss is nan at step 5, which the rule \"loss is nan: fail\" forbids");
}

TEST_CASE("a type without rules needs no watch") {
  CHECK_FALSE(run_watch::is_needed({}, {}));
  CHECK(run_watch::is_needed({.heartbeat = 1s}, {}));
  CHECK(run_watch::is_needed({}, rules({"loss is nan: fail"})));
}
