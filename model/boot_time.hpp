// Time since the machine started, also while it slept (CLOCK_BOOTTIME): what leases are counted by, for nobody can set this clock.
#pragma once

#include <chrono>
#include <ctime>

namespace ferry {

struct boot_clock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<boot_clock>;
  static constexpr bool is_steady = true;

  static time_point now() noexcept {
    timespec t{};
    ::clock_gettime(CLOCK_BOOTTIME, &t);
    return time_point(std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec));
  }
};

using boot_instant = boot_clock::time_point;

} // namespace ferry
