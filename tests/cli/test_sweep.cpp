#include "cli/moment.hpp"
#include "cli/sweep.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <ctime>

using namespace ferry;
using namespace ferry::cli;
using namespace std::chrono_literals;

TEST_CASE("a sweep makes a job for each value, several one for each combination, the last varying fastest") {
  const auto all = combinations({{"model", "a"}}, {"steps=10,25", "seed=1..3", "w.x=0.5"});
  REQUIRE(all);
  REQUIRE(all->size() == 6);
  CHECK(all->at(0) == json{{"model", "a"}, {"steps", 10}, {"seed", 1}, {"w", {{"x", 0.5}}}});
  CHECK(all->at(1)["seed"] == 2);
  CHECK(all->at(5)["steps"] == 25);
  CHECK(combinations(json::object(), {"sampler=euler,ddim"})->at(1) == json{{"sampler", "ddim"}});
  CHECK(combinations({{"a", 1}}, {})->size() == 1);
  CHECK(combinations(json::object(), {"seed=-2..-1"})->at(0)["seed"] == -2);
  CHECK(combinations(json::object(), {"path=a..b"})->at(0)["path"] == "a..b"); // no numbers
}

TEST_CASE("a sweep that cannot be read or has too many combinations is refused") {
  for (const char* bad : {"steps", "=1", "steps="}) {
    CAPTURE(bad);
    CHECK(combinations(json::object(), {bad}).error().code == error_code::invalid_argument);
  }
  CHECK(combinations(json::object(), {"seed=1..1001"}).error().code == error_code::too_large);
  CHECK(combinations(json::object(), {"a=1..40", "b=1..26"}).error().what == "the sweep has more than 1000 combinations");
  CHECK(combinations(json::object(), {"a=1..40", "b=1..25"})->size() == 1000);
}

TEST_CASE("a start is given as a duration, as the next time of a clock, or as a date") {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  const instant now = from_unix_ms(1'767'225'600'000 + 15 * 3'600'000); // 2026-01-01 15:00
  CHECK(*duration_from("--in", "1h30m") == 90min);
  CHECK(duration_from("--in", "soon").error().what == "--in must be a duration such as 90s, 30m, 2h or 1d12h, is \"soon\"");
  CHECK(*moment_from("22:00", now) - now == 7h);
  CHECK(*moment_from("15:00", now) - now == 24h);
  CHECK(*moment_from("2026-01-03 15:30", now) - now == 48h + 30min);
  CHECK(*moment_from("2026-01-03T15:30", now) - now == 48h + 30min);
  CHECK(moment_from("2025-12-31 15:30", now).error().what == "--after 2025-12-31 15:30 has passed");
  for (const char* bad : {"25:00", "22", "22:00 tomorrow", "2026-01-03"}) {
    CAPTURE(bad);
    CHECK_FALSE(moment_from(bad, now));
  }
}
