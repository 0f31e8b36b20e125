#include "scheduling/device_health.hpp"

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

} // namespace ferry::scheduling
