// Wall-clock time as ferry stores and shows it: milliseconds since the Unix epoch, UTC.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace ferry {

using duration = std::chrono::milliseconds;
using instant = std::chrono::sys_time<duration>;

[[nodiscard]] inline instant from_unix_ms(std::int64_t ms) { return instant{duration{ms}}; }
[[nodiscard]] inline std::int64_t to_unix_ms(instant t) { return t.time_since_epoch().count(); }

// The only clock read of the program that ends up in stored data; policy takes time as an argument instead.
[[nodiscard]] inline instant wall_clock_now() { return std::chrono::time_point_cast<duration>(std::chrono::system_clock::now()); }

// RFC 3339 in UTC with milliseconds: 2026-01-31T12:00:00.250Z
[[nodiscard]] std::string to_rfc3339(instant t);

// "45 s", "3 m 20 s", "2 h 5 m": the two largest units, for people.
[[nodiscard]] std::string to_words(duration d);

} // namespace ferry
