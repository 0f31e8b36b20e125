#include "cli/sweep.hpp"

#include "cli/parameters.hpp"
#include "cli/text.hpp"
#include "config/limits.hpp"

#include <charconv>

namespace ferry::cli {
namespace {

struct range {
  std::int64_t first = 0, last = 0;
};

// Of "1..8"; nothing for other text.
std::optional<range> range_from(const std::string& text) {
  const auto dots = text.find("..");
  if (dots == text.npos)
    return std::nullopt;
  range r;
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), text.data() + dots, r.first);
  const auto last = std::from_chars(text.data() + dots + 2, end, r.last);
  const bool whole = first.ec == std::errc{} && first.ptr == text.data() + dots && last.ec == std::errc{} && last.ptr == end;
  return whole && r.first <= r.last ? std::optional(r) : std::nullopt;
}

error too_many() {
  return {error_code::too_large,
          "the sweep has more than " + std::to_string(limits::jobs_per_request_max) + " combinations",
          "submit it in parts",
          {}};
}

// "key=1..3" → {"key=1", "key=2", "key=3"}
result<std::vector<std::string>> assignments_of(const std::string& sweep) {
  const auto equals = sweep.find('=');
  if (equals == sweep.npos || equals == 0 || equals + 1 == sweep.size())
    return fail(error_code::invalid_argument,
                "--sweep must be key=value,value,… or key=first..last, is \"" + printable(sweep) + "\"");
  const std::string key = sweep.substr(0, equals + 1), values = sweep.substr(equals + 1);
  std::vector<std::string> all;
  if (const auto numbers = range_from(values)) {
    if (numbers->last - numbers->first >= static_cast<std::int64_t>(limits::jobs_per_request_max))
      return fail(too_many());
    for (auto n = numbers->first; n <= numbers->last; ++n)
      all.push_back(key + std::to_string(n));
    return all;
  }
  for (std::size_t begin = 0; begin <= values.size();) {
    const auto comma = std::min(values.find(',', begin), values.size());
    all.push_back(key + values.substr(begin, comma - begin));
    begin = comma + 1;
  }
  return all;
}

} // namespace

result<std::vector<json>> combinations(const json& params, const std::vector<std::string>& sweeps) {
  std::vector<json> all{params};
  for (const std::string& sweep : sweeps) {
    const auto assignments = assignments_of(sweep);
    if (!assignments)
      return fail(assignments.error());
    if (all.size() * assignments->size() > limits::jobs_per_request_max)
      return fail(too_many());
    std::vector<json> more;
    for (const json& one : all)
      for (const std::string& assignment : *assignments) {
        more.push_back(one);
        if (auto assigned = assign_parameter(more.back(), assignment); !assigned)
          return fail(assigned.error());
      }
    all = std::move(more);
  }
  return all;
}

} // namespace ferry::cli
