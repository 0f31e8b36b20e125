#include "cli/format.hpp"

#include "cli/json_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <ctime>

namespace ferry::cli {
namespace {

std::string two_digits(std::int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); }

// A number with one decimal where that says something: "1.5", "12".
std::string short_number(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), value < 99.95 ? "%.1f" : "%.0f", value);
  std::string shown = text.data();
  if (shown.ends_with(".0"))
    shown.resize(shown.size() - 2);
  return shown;
}

std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  if (text.size() < at + count)
    return std::nullopt;
  int value = 0;
  const char* first = text.data() + at;
  const auto [end, failed] = std::from_chars(first, first + count, value);
  if (failed != std::errc{} || end != first + count || value < 0 || *first == '-')
    return std::nullopt;
  return value;
}

} // namespace

std::string clock_time(duration d) {
  const std::int64_t total = std::max<std::int64_t>(0, d.count() / 1000);
  const std::int64_t days = total / 86400, hours = total / 3600 % 24, minutes = total / 60 % 60, seconds = total % 60;
  if (days > 0)
    return std::to_string(days) + "d " + two_digits(hours) + ":" + two_digits(minutes);
  if (hours > 0)
    return std::to_string(hours) + ":" + two_digits(minutes) + ":" + two_digits(seconds);
  return std::to_string(minutes) + ":" + two_digits(seconds);
}

std::string ago(instant then, instant now) {
  const std::int64_t seconds = (now - then).count() / 1000;
  if (seconds < 1)
    return "just now";
  if (seconds < 60)
    return std::to_string(seconds) + " s ago";
  if (seconds < 3600)
    return std::to_string(seconds / 60) + " m ago";
  if (seconds < 48 * 3600)
    return std::to_string(seconds / 3600) + " h ago";
  return std::to_string(seconds / 86400) + " d ago";
}

std::optional<instant> instant_from(std::string_view text) {
  using namespace std::chrono;
  if (text.size() != 24 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':' ||
      text[19] != '.' || text[23] != 'Z')
    return std::nullopt;
  const auto y = digits(text, 0, 4), mo = digits(text, 5, 2), d = digits(text, 8, 2);
  const auto h = digits(text, 11, 2), mi = digits(text, 14, 2), s = digits(text, 17, 2), ms = digits(text, 20, 3);
  if (!y || !mo || !d || !h || !mi || !s || !ms || *h > 23 || *mi > 59 || *s > 60)
    return std::nullopt;
  const year_month_day date{year{*y}, month{static_cast<unsigned>(*mo)}, day{static_cast<unsigned>(*d)}};
  if (!date.ok())
    return std::nullopt;
  return sys_days{date} + hours{*h} + minutes{*mi} + seconds{*s} + milliseconds{*ms};
}

std::string with_commas(std::int64_t number) {
  std::string text = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > (number < 0 ? 1 : 0); at -= 3)
    text.insert(static_cast<std::size_t>(at), ",");
  return text;
}

std::string count_of(std::int64_t number, std::string_view one, std::string_view many) {
  return with_commas(number) + " " + std::string(number == 1 ? one : many);
}

std::string mebibytes(std::int64_t mib) {
  if (mib < 1024)
    return std::to_string(mib) + " MiB";
  if (mib < 1024 * 1024)
    return short_number(static_cast<double>(mib) / 1024) + " GiB";
  return short_number(static_cast<double>(mib) / 1024 / 1024) + " TiB";
}

std::string bytes(std::int64_t count) {
  if (count < 1024)
    return std::to_string(count) + " B";
  if (count < 1024 * 1024)
    return short_number(static_cast<double>(count) / 1024) + " KiB";
  return count < 1024LL * 1024 * 1024 ? short_number(static_cast<double>(count) / 1024 / 1024) + " MiB"
                                      : mebibytes(count / 1024 / 1024);
}

std::string percent(double fraction) {
  const double bounded = std::clamp(fraction, 0.0, 1.0);
  return std::to_string(static_cast<int>(std::floor(bounded * 100 + 1e-9))) + "%";
}

std::string id_ranges(const std::vector<std::int64_t>& ids) {
  std::string text;
  for (std::size_t i = 0; i < ids.size();) {
    std::size_t last = i;
    while (last + 1 < ids.size() && ids[last + 1] == ids[last] + 1)
      ++last;
    text += (text.empty() ? "" : ", ") + std::to_string(ids[i]);
    if (last > i)
      text += "-" + std::to_string(ids[last]);
    i = last + 1;
  }
  return text;
}

std::string bar(double fraction, int columns, bool unicode) {
  const int filled = static_cast<int>(std::floor(std::clamp(fraction, 0.0, 1.0) * columns + 1e-9));
  std::string text;
  for (int i = 0; i < columns; ++i)
    text += unicode ? (i < filled ? "▓" : "░") : (i < filled ? "#" : ".");
  return text;
}

std::optional<instant> time_field(const json& object, const char* key) { return instant_from(text_field(object, key)); }

std::string clock_on(instant t, instant now) {
  const std::string then = local_time(t), today = local_time(now);
  return then.substr(0, 10) == today.substr(0, 10) ? then.substr(11) : then;
}

std::string waiting_for(const json& job) {
  constexpr std::size_t time_length = std::string_view("2026-01-31T12:00:00.000Z").size();
  std::string text = text_field(job, "waiting_for");
  for (auto end = text.find('Z'); end != std::string::npos; end = text.find('Z', end + 1)) {
    if (end + 1 < time_length)
      continue;
    const auto begin = end + 1 - time_length;
    const auto at = instant_from(text.substr(begin, time_length));
    if (!at)
      continue;
    const std::string local = local_time(*at);
    text.replace(begin, time_length, local);
    end = begin + local.size() - 1;
  }
  return text;
}

std::string local_time(instant t) {
  const auto seconds = static_cast<std::time_t>(to_unix_ms(t) / 1000);
  std::tm parts{};
  localtime_r(&seconds, &parts);
  char text[40];
  return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts));
}

} // namespace ferry::cli
