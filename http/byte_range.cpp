#include "http/byte_range.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace ferry::http {
namespace {

std::string_view trimmed(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  return text.substr(0, text.find_last_not_of(" \t") + 1);
}

std::optional<std::uint64_t> number_from(std::string_view text) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, failed] = std::from_chars(text.data(), end, value);
  if (stop != end || text.empty())
    return std::nullopt;
  if (failed == std::errc::result_out_of_range)
    return UINT64_MAX; // behind the end of any file, and so it says all that it has to
  return failed == std::errc{} ? std::optional(value) : std::nullopt;
}

} // namespace

wanted_bytes bytes_wanted(std::string_view header, std::uint64_t bytes) {
  constexpr std::string_view unit = "bytes=";
  header = trimmed(header);
  if (!header.starts_with(unit))
    return whole_file{};
  const auto range = trimmed(header.substr(unit.size()));
  const auto dash = range.find('-');
  if (dash == range.npos || range.find(',') != range.npos)
    return whole_file{};
  const auto from = trimmed(range.substr(0, dash)), to = trimmed(range.substr(dash + 1));
  if (from.empty()) { // the last so many
    const auto count = number_from(to);
    if (!count)
      return whole_file{};
    if (*count == 0 || bytes == 0)
      return no_such_range{};
    return byte_range{bytes - std::min(*count, bytes), std::min(*count, bytes)};
  }
  const auto first = number_from(from), last = to.empty() ? std::optional(UINT64_MAX) : number_from(to);
  if (!first || !last || *last < *first)
    return whole_file{};
  if (*first >= bytes)
    return no_such_range{};
  return byte_range{*first, std::min(*last, bytes - 1) - *first + 1};
}

bool names_etag(std::string_view list, std::string_view etag) {
  if (trimmed(list) == "*")
    return true;
  while (!list.empty()) {
    const auto end = std::min(list.find(','), list.size());
    auto one = trimmed(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
    if (one.starts_with("W/"))
      one.remove_prefix(2);
    if (one == etag)
      return true;
  }
  return false;
}

} // namespace ferry::http
