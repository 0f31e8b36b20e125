// Whether a device is to be used, from what its readings say. Pure.
#pragma once

#include "model/device.hpp"

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

} // namespace ferry::scheduling
