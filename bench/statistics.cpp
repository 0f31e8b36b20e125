#include "bench/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace ferry::bench {

double samples::percentile(double p) const {
  if (values_.empty())
    return std::numeric_limits<double>::quiet_NaN();
  auto sorted = values_;
  const auto rank = static_cast<std::size_t>(std::ceil(p * static_cast<double>(sorted.size())));
  const auto at = sorted.begin() + static_cast<std::ptrdiff_t>(std::clamp<std::size_t>(rank, 1, sorted.size()) - 1);
  std::nth_element(sorted.begin(), at, sorted.end());
  return *at;
}

std::string number(double value) {
  if (std::isnan(value))
    return "–";
  char text[64];
  if (std::fabs(value) < 100 && value != std::round(value)) {
    std::snprintf(text, sizeof text, std::fabs(value) < 1 ? "%.3f" : std::fabs(value) < 10 ? "%.2f" : "%.1f", value);
    return text;
  }
  std::string digits = std::to_string(std::llround(value));
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > (value < 0 ? 1 : 0); at -= 3)
    digits.insert(static_cast<std::size_t>(at), ",");
  return digits;
}

} // namespace ferry::bench
