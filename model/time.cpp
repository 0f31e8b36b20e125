#include "model/time.hpp"

#include <array>
#include <cstdio>
#include <ctime>

namespace ferry {

std::string to_rfc3339(instant t) {
  const auto ms = to_unix_ms(t);
  const auto seconds = static_cast<std::time_t>((ms >= 0 ? ms : ms - 999) / 1000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 96> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900, parts.tm_mon + 1,
                parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                static_cast<int>(ms - static_cast<std::int64_t>(seconds) * 1000));
  return text.data();
}

std::string to_words(duration d) {
  const auto total = d.count() / 1000;
  const auto hours = total / 3600, minutes = total / 60 % 60, seconds = total % 60;
  if (hours > 0)
    return std::to_string(hours) + " h " + std::to_string(minutes) + " m";
  if (minutes > 0)
    return std::to_string(minutes) + " m " + std::to_string(seconds) + " s";
  return std::to_string(seconds) + " s";
}

} // namespace ferry
