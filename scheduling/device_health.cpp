#include "scheduling/device_health.hpp"

#include <algorithm>

namespace ferry::scheduling {
namespace {

constexpr int bad_to_leave = 2;
constexpr int good_to_return = 30;

} // namespace

std::optional<std::string> device_health::read(const device_reading& now) {
  if (now.trouble.empty()) {
    bad_ = 0;
    if (!out_ || ++good_ < good_to_return)
      return std::nullopt;
    out_ = false;
    return std::string();
  }
  good_ = 0;
  if (++bad_ < bad_to_leave || out_)
    return std::nullopt;
  out_ = true;
  return now.trouble;
}

std::int64_t memory_taken_by_others(const device_reading& now, std::int64_t reserve_mib) {
  const auto beyond = std::max<std::int64_t>(0, now.memory_foreign_mib.value_or(0) - reserve_mib);
  return (beyond + memory_step_mib - 1) / memory_step_mib * memory_step_mib;
}

} // namespace ferry::scheduling
