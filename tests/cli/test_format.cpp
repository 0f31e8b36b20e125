#include "cli/format.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ferry;
using namespace ferry::cli;
using namespace std::chrono_literals;

TEST_CASE("elapsed time reads like a clock") {
  CHECK(clock_time(0s) == "0:00");
  CHECK(clock_time(45s) == "0:45");
  CHECK(clock_time(12min + 7s) == "12:07");
  CHECK(clock_time(3h + 4min + 5s) == "3:04:05");
  CHECK(clock_time(51h + 4min) == "2d 03:04");
  CHECK(clock_time(-5s) == "0:00");
}

TEST_CASE("a moment is told by its distance") {
  const instant now = from_unix_ms(1'000'000'000'000);
  CHECK(ago(now, now) == "just now");
  CHECK(ago(now + 5s, now) == "just now");
  CHECK(ago(now - 59s, now) == "59 s ago");
  CHECK(ago(now - 60s, now) == "1 m ago");
  CHECK(ago(now - 5h, now) == "5 h ago");
  CHECK(ago(now - 49h, now) == "2 d ago");
}

TEST_CASE("a time that was written is read back") {
  for (const std::int64_t ms : {0LL, 1'769'860'800'250LL, 951'782'399'999LL})
    CHECK(instant_from(to_rfc3339(from_unix_ms(ms))) == from_unix_ms(ms));
}

TEST_CASE("what is not such a time is none") {
  for (const char* text : {"", "2026-01-31", "2026-02-30T12:00:00.000Z", "2026-01-31T24:00:00.000Z", "2026-01-31T12:00:00.000+",
                           "2026-01-31T1-:00:00.000Z"})
    CHECK_FALSE(instant_from(text).has_value());
}

TEST_CASE("what a job waits for is told in the time of this machine") {
  const auto told = [](const std::string& why) { return waiting_for(json{{"waiting_for", why}}); };
  const std::string at = "2026-01-31T12:00:00.250Z";
  CHECK(told("it is not to start before " + at) == "it is not to start before " + local_time(*instant_from(at)));
  CHECK(told(at + ", or " + at + "Z") == local_time(*instant_from(at)) + ", or " + local_time(*instant_from(at)) + "Z");
  CHECK(told("group Z is paused") == "group Z is paused");
  CHECK(waiting_for(json{{"waiting_for", nullptr}}).empty());
}

TEST_CASE("large numbers are grouped") {
  CHECK(with_commas(0) == "0");
  CHECK(with_commas(999) == "999");
  CHECK(with_commas(1'000) == "1,000");
  CHECK(with_commas(1'234'567) == "1,234,567");
  CHECK(with_commas(-1'000) == "-1,000");
  CHECK(with_commas(-100) == "-100");
  CHECK(count_of(1, "job", "jobs") == "1 job");
  CHECK(count_of(2'000, "job", "jobs") == "2,000 jobs");
}

TEST_CASE("sizes are told in the unit that fits") {
  CHECK(mebibytes(512) == "512 MiB");
  CHECK(mebibytes(1'536) == "1.5 GiB");
  CHECK(mebibytes(81'920) == "80 GiB");
  CHECK(mebibytes(3 * 1024 * 1024) == "3 TiB");
  CHECK(bytes(980) == "980 B");
  CHECK(bytes(1'234) == "1.2 KiB");
  CHECK(bytes(3'565'158) == "3.4 MiB");
  CHECK(bytes(5LL * 1024 * 1024 * 1024) == "5 GiB");
}

TEST_CASE("a job is at 100% only when it is") {
  CHECK(percent(0) == "0%");
  CHECK(percent(0.29) == "29%");
  CHECK(percent(0.999) == "99%");
  CHECK(percent(1) == "100%");
  CHECK(percent(7) == "100%");
  CHECK(bar(0.5, 8, true) == "▓▓▓▓░░░░");
  CHECK(bar(0.99, 4, false) == "###.");
  CHECK(bar(1, 4, false) == "####");
}

TEST_CASE("neighbouring ids are joined") {
  CHECK(id_ranges({}).empty());
  CHECK(id_ranges({42}) == "42");
  CHECK(id_ranges({42, 43, 44, 50, 60, 61}) == "42-44, 50, 60-61");
}
