// How devices are shared among users and tiers, as `[queue.fair_share]` declares it.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

namespace ferry::config {

struct fair_share_rules {
  std::chrono::milliseconds window = std::chrono::hours{24}; // use of devices counts for so long; 0: users do not matter
  std::map<std::string, double> weights = {};                // of users, by name; 1 where nothing is said
  std::map<std::string, double> tier_weights = {}; // of tiers, by number; 1 where nothing is said; empty: higher ones first

  [[nodiscard]] bool is_on() const { return window.count() > 0; }

  // Where tiers share by weight, all jobs stand in one order, and a tier is a lane of it: each user's jobs of it take turns with
  // all others. Else a tier comes before those below, and there are no lanes.
  [[nodiscard]] bool tiers_share() const { return !tier_weights.empty(); }
  [[nodiscard]] std::uint8_t order_tier(int declared) const { return tiers_share() ? std::uint8_t{0} : bits(declared); }
  [[nodiscard]] std::uint8_t lane(int declared) const { return tiers_share() ? bits(declared) : std::uint8_t{0}; }

private:
  [[nodiscard]] static std::uint8_t bits(int tier) { return static_cast<std::uint8_t>(tier & 0xF); }
};

} // namespace ferry::config
