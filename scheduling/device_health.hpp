// Whether a device is to be used, and how much of its memory others have, from what its readings say. Pure.
#pragma once

#include "model/device.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace ferry::scheduling {

class device_health {
public:
  // One reading. The new trouble when the device goes out of service, an empty text when it comes back, nothing when all stays. One
  // bad reading may be a hiccup of the driver: it takes two in a row, and thirty good ones to trust the device again.
  [[nodiscard]] std::optional<std::string> read(const device_reading& now);

private:
  int bad_ = 0, good_ = 0; // in a row
  bool out_ = false;
};

// What programs that are not ferry's take of its memory beyond what is kept free for such, rounded up to steps, so that one that
// grows slowly does not have the queue looked through at each reading. Where the driver does not tell, nothing: jobs start as if
// they were alone.
inline constexpr std::int64_t memory_step_mib = 64;
[[nodiscard]] std::int64_t memory_taken_by_others(const device_reading& now, std::int64_t reserve_mib);

} // namespace ferry::scheduling
