#include "model/time.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ferry;
using namespace std::chrono_literals;

TEST_CASE("times are written as RFC 3339 in UTC with milliseconds") {
  CHECK(to_rfc3339(from_unix_ms(0)) == "1970-01-01T00:00:00.000Z");
  CHECK(to_rfc3339(from_unix_ms(1'769'860'800'250)) == "2026-01-31T12:00:00.250Z");
  CHECK(to_rfc3339(from_unix_ms(951'782'399'999)) == "2000-02-28T23:59:59.999Z");
  CHECK(to_rfc3339(from_unix_ms(951'782'400'000)) == "2000-02-29T00:00:00.000Z");
  CHECK(to_rfc3339(from_unix_ms(-1)) == "1969-12-31T23:59:59.999Z");
  CHECK(to_rfc3339(from_unix_ms(-1000)) == "1969-12-31T23:59:59.000Z");
  CHECK(to_rfc3339(from_unix_ms(-1001)) == "1969-12-31T23:59:58.999Z");
}

TEST_CASE("milliseconds since the epoch survive the way there and back") {
  for (const std::int64_t ms : {0LL, 1LL, -1LL, 1'769'860'800'250LL, -86'400'001LL})
    CHECK(to_unix_ms(from_unix_ms(ms)) == ms);
  CHECK(to_unix_ms(wall_clock_now()) > 1'700'000'000'000);
}

TEST_CASE("durations are told in their two largest units") {
  CHECK(to_words(0ms) == "0 s");
  CHECK(to_words(999ms) == "0 s");
  CHECK(to_words(45s) == "45 s");
  CHECK(to_words(59'999ms) == "59 s");
  CHECK(to_words(60s) == "1 m 0 s");
  CHECK(to_words(200s) == "3 m 20 s");
  CHECK(to_words(2h + 5min + 59s) == "2 h 5 m");
  CHECK(to_words(100h) == "100 h 0 m");
}
