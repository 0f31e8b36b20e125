// What a further job in a batch costs, learnt per type and per key: time(n) = a + b·n, as the price m = b / (a + b) of a further
// job relative to the first, so that time(n) = time(1) · (1 + m·(n − 1)). Pure, deterministic (P7), bounded.
//
// The price of a key is a weighted mean of what its batches showed, shrunk towards that of its type, and that towards one half: so
// batching begins before anything is known, and a few odd batches do not end it. What was seen fades within days: a wrong "it does
// not pay" is tried again.
#pragma once

#include "config/limits.hpp"
#include "model/error.hpp"
#include "model/job.hpp"
#include "model/time.hpp"
#include "scheduling/batch_traits.hpp"
#include "scheduling/job_features.hpp"
#include "scheduling/recent_keys.hpp"

#include <cstdint>

namespace ferry::scheduling {

// Jobs with the same key may share a batch, as far as tolerances allow.
[[nodiscard]] std::uint64_t batch_key(const batch_traits& traits);

// What a job pays as company, from its estimate alone: with `price` 0 nothing, with 1 the same as alone. `size`: the items of the
// batch divided by those of its longest job, which takes `longest` alone.
[[nodiscard]] duration batch_time(duration longest, double size, double price);

// How long loading takes is learnt by a duration_estimator(duration_estimator::apart_loading), from these.
[[nodiscard]] job_features load_features(const std::string& warm, const std::string& device);

// Of one job type.
class batch_cost {
public:
  // Company costs as much as running alone, or so nearly that it does not pay.
  static constexpr double does_not_pay = 1;

  // A batch of that size (as batch_time has it, more than 1) took `ratio` times what its longest job takes alone, without loading.
  void observe(std::uint64_t key, double size, double ratio, instant now);

  // To decide by: a little less than what is expected, as long as little is known, so that batches are tried; or `does_not_pay`.
  [[nodiscard]] double price(std::uint64_t key, instant now) const;
  // To show: what is expected.
  [[nodiscard]] double expected_price(std::uint64_t key, instant now) const;

  [[nodiscard]] json to_json() const;
  // Errors: damaged; newer_version.
  [[nodiscard]] static result<batch_cost> from_json(const json& stored);

private:
  struct sum {
    double weight = 0;
    double weighted = 0; // prices
    instant at{};
  };
  [[nodiscard]] static sum faded(const sum& s, instant now);
  static void add(sum& to, double weight, double price, instant now);
  [[nodiscard]] double type_price(instant now) const;

  sum type_;
  recent_keys<sum, limits::batch_keys_max> keys_;
};

} // namespace ferry::scheduling
