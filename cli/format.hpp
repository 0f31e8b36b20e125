// How numbers and times are written for people. Pure.
#pragma once

#include "model/job.hpp"
#include "model/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ferry::cli {

// "0:45", "12:07", "3:04:05", "2d 03:04"; negative times read 0:00.
[[nodiscard]] std::string clock_time(duration d);

// "just now", "45 s ago", "12 m ago", "5 h ago", "3 d ago"; a time in the future is "just now".
[[nodiscard]] std::string ago(instant then, instant now);

// What to_rfc3339() writes; nothing for anything else.
[[nodiscard]] std::optional<instant> instant_from(std::string_view rfc3339);

// "1,234,567"
[[nodiscard]] std::string with_commas(std::int64_t number);

// "1 job", "2,000 jobs"
[[nodiscard]] std::string count_of(std::int64_t number, std::string_view one, std::string_view many);

// "512 MiB", "1.5 GiB"
[[nodiscard]] std::string mebibytes(std::int64_t mib);
// "980 B", "1.2 KiB", "3.4 MiB"
[[nodiscard]] std::string bytes(std::int64_t count);

// "40%"; never 100% before it is 1.
[[nodiscard]] std::string percent(double fraction);

// Ids in the order given, runs of neighbours joined: "42-1041, 1050".
[[nodiscard]] std::string id_ranges(const std::vector<std::int64_t>& ids);

// "▓▓▓▓░░░░", or with plain characters "####....".
[[nodiscard]] std::string bar(double fraction, int columns, bool unicode);

// A member that holds a time as the API writes it.
[[nodiscard]] std::optional<instant> time_field(const json& object, const char* key);
// As a clock on this machine shows it.
[[nodiscard]] std::string local_time(instant t);
// What a job waits for, as the daemon says it, with its times (RFC 3339, UTC) in local time.
[[nodiscard]] std::string waiting_for(const json& job);
// The time of day, with the date where that is another than today's.
[[nodiscard]] std::string clock_on(instant t, instant now);

} // namespace ferry::cli
