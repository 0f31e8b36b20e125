// Times of one measurement and what they come to.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace ferry::bench {

using clock = std::chrono::steady_clock;

// Since some fixed moment, for all processes of the machine (CLOCK_MONOTONIC), as bench-stamp writes it.
[[nodiscard]] inline std::int64_t monotonic_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(clock::now().time_since_epoch()).count();
}
[[nodiscard]] inline double seconds_since(clock::time_point start) {
  return std::chrono::duration<double>(clock::now() - start).count();
}

class samples {
public:
  void add(double milliseconds) { values_.push_back(milliseconds); }
  void add(const samples& others) { values_.insert(values_.end(), others.values_.begin(), others.values_.end()); }
  [[nodiscard]] std::size_t count() const { return values_.size(); }
  // In milliseconds, the nearest rank; NaN without samples.
  [[nodiscard]] double percentile(double p) const;
  [[nodiscard]] double p50() const { return percentile(0.50); }
  [[nodiscard]] double p99() const { return percentile(0.99); }

private:
  std::vector<double> values_;
};

// Calls `once` for `seconds` and gives back the time of each call.
template <class Once>
samples sample_for(double seconds, Once once) {
  samples taken;
  const auto start = clock::now();
  auto before = start;
  while (std::chrono::duration<double>(before - start).count() < seconds) {
    once();
    const auto after = clock::now();
    taken.add(std::chrono::duration<double, std::milli>(after - before).count());
    before = after;
  }
  return taken;
}

// "2,470", "0.42", "12.3": three significant digits, whole where it is or where it is larger.
[[nodiscard]] std::string number(double value);

} // namespace ferry::bench
