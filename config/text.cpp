#include "config/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <limits>

namespace ferry::config {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), current(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j)
    last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = a[i - 1] == b[j - 1] ? 0 : 1;
      current[j] = std::min({last[j] + 1, current[j - 1] + 1, last[j - 1] + changed});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        current[j] = std::min(current[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, current);
  }
  return last[b.size()];
}

std::string nearest(std::string_view name, const std::vector<std::string>& candidates) {
  constexpr std::size_t name_bytes_max = 100; // the distance is quadratic, and nobody mistypes a longer name
  if (name.empty() || name.size() > name_bytes_max)
    return {};
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(1, std::min(name.size() / 2, std::size_t{4})) + 1;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > name_bytes_max)
      continue;
    // Half of a short name wrong is another name.
    const std::size_t allowed = std::max<std::size_t>(1, std::max(name.size(), candidate.size()) / 3);
    const std::size_t distance = edit_distance(name, candidate);
    const bool begins = (name.size() >= 3 && candidate.starts_with(name)) || (candidate.size() >= 3 && name.starts_with(candidate));
    const std::size_t rank = begins ? 1 : distance;
    if ((begins || distance <= allowed) && rank < best_distance) {
      best = candidate;
      best_distance = rank;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates) {
  const std::string best = nearest(name, candidates);
  return best.empty() ? std::string{} : "did you mean " + best + "?";
}

std::string shortened(std::string_view text, std::size_t bytes_max) {
  std::string out;
  const bool cut = text.size() > bytes_max;
  if (cut) {
    std::size_t end = bytes_max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
      --end;
    text = text.substr(0, end);
  }
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      std::array<char, 8> escaped{};
      std::snprintf(escaped.data(), escaped.size(), "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
      out += escaped.data();
    } else {
      out += c;
    }
  }
  return cut ? out + "…" : out;
}

std::string shown(const json& value) { return shortened(value.dump(-1, ' ', false, json::error_handler_t::replace)); }

std::string joined(const std::vector<std::string>& words, std::string_view separator) {
  std::string out;
  for (const std::string& word : words) {
    if (!out.empty())
      out += separator;
    out += word;
  }
  return out;
}

std::optional<std::int64_t> parse_duration(std::string_view text) {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  std::int64_t total = 0, last_unit = most;
  if (text.empty())
    return std::nullopt;
  while (!text.empty()) {
    std::int64_t number = 0, unit = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (fault != std::errc{} || text.front() == '-')
      return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const std::size_t letters = std::min(text.find_first_of("0123456789"), text.size());
    const std::string_view name = text.substr(0, letters);
    text.remove_prefix(letters);
    if (name == "ms")
      unit = 1;
    else if (name == "s")
      unit = 1'000;
    else if (name == "m")
      unit = 60'000;
    else if (name == "h")
      unit = 3'600'000;
    else if (name == "d")
      unit = 86'400'000;
    if (unit == 0 || unit >= last_unit || number > (most - total) / unit)
      return std::nullopt;
    total += number * unit;
    last_unit = unit;
  }
  return total;
}

} // namespace ferry::config
