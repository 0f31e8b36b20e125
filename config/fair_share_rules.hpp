// How devices are shared among users, as `[queue.fair_share]` declares it.
#pragma once

#include <chrono>
#include <map>
#include <string>

namespace ferry::config {

struct fair_share_rules {
  std::chrono::milliseconds window = std::chrono::hours{24}; // use of devices counts for so long; 0: users do not matter
  std::map<std::string, double> weights = {};                // of users, by name; 1 where nothing is said

  [[nodiscard]] bool is_on() const { return window.count() > 0; }
};

} // namespace ferry::config
