// How much device memory a batch of n items takes, learnt per key from the peaks that runs report: memory(n) = c + d·n, the lowest
// line that no peak lies above. Pure, deterministic (P7), bounded.
#pragma once

#include "config/limits.hpp"
#include "model/error.hpp"
#include "model/job.hpp"
#include "model/time.hpp"
#include "scheduling/recent_keys.hpp"

#include <cstdint>
#include <map>
#include <optional>

namespace ferry::scheduling {

// Of one job type.
class batch_memory {
public:
  // A batch of so many items has reported this as its peak. A day later a lower one replaces it.
  void used(std::uint64_t key, int items, std::int64_t peak_mib, instant now);
  // A batch of so many items ran out of memory where it had this much: it needs more.
  void ran_out(std::uint64_t key, int items, std::int64_t had_mib, instant now);

  // What to reserve for a batch: a little more than the line says. Of a key that was never seen, what the type declares (0:
  // nothing); where it declares nothing, the largest peak of all; without any, nothing.
  [[nodiscard]] std::optional<std::int64_t> to_reserve(std::uint64_t key, int items, std::int64_t declared_mib) const;
  [[nodiscard]] bool knows(std::uint64_t key) const { return keys_.find(key) != nullptr; }

  [[nodiscard]] json to_json() const;
  // Errors: damaged; newer_version.
  [[nodiscard]] static result<batch_memory> from_json(const json& stored);

private:
  struct peak {
    double mib = 0;
    instant at{};
  };
  using peaks = std::map<int, peak>; // by items

  void note(std::uint64_t key, int size, double mib, instant now);

  recent_keys<peaks, limits::batch_keys_max> keys_;
  double largest_mib_ = 0;
};

} // namespace ferry::scheduling
