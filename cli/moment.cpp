#include "cli/moment.hpp"

#include "cli/text.hpp"
#include "config/text.hpp"

#include <ctime>

namespace ferry::cli {
namespace {

// The whole of `text` in this form, over what `parts` holds already.
bool reads_as(const std::string& text, const char* form, std::tm& parts) {
  const char* const end = ::strptime(text.c_str(), form, &parts);
  return end != nullptr && *end == '\0';
}

std::tm local(instant at) {
  const std::time_t seconds = to_unix_ms(at) / 1000;
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  parts.tm_sec = 0;
  return parts;
}

instant of_local(std::tm parts) {
  parts.tm_isdst = -1;
  return from_unix_ms(std::int64_t{std::mktime(&parts)} * 1000);
}

} // namespace

result<duration> duration_from(const std::string& option, const std::string& text) {
  if (const auto ms = config::parse_duration(text))
    return duration{*ms};
  return fail(error_code::invalid_argument,
              option + " must be a duration such as 90s, 30m, 2h or 1d12h, is \"" + printable(text) + "\"");
}

result<instant> moment_from(const std::string& text, instant now) {
  std::tm parts = local(now);
  if (reads_as(text, "%H:%M", parts)) {
    const instant today = of_local(parts);
    if (today > now)
      return today;
    parts.tm_mday += 1;
    return of_local(parts);
  }
  parts = std::tm{};
  if (!reads_as(text, "%Y-%m-%d %H:%M", parts) && !reads_as(text, "%Y-%m-%dT%H:%M", parts))
    return fail(error_code::invalid_argument,
                "--after must be a time such as 22:00 or \"2026-12-24 18:00\", is \"" + printable(text) + "\"");
  const instant then = of_local(parts);
  if (then <= now)
    return fail(error_code::invalid_argument, "--after " + printable(text) + " has passed");
  return then;
}

} // namespace ferry::cli
