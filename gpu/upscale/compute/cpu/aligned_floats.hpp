// Floats on cache lines: a vector that lies across two lines costs two loads. Large blocks lie on large pages where the system has
// them, which saves most of the page faults of the first use and of the misses in the address cache afterwards.
#pragma once

#include <cstddef>
#include <memory>

namespace ferry::upscale {

class aligned_floats {
public:
  aligned_floats() = default;

  // All zero. Throws std::bad_alloc.
  explicit aligned_floats(std::size_t count);

  [[nodiscard]] float* data() { return floats_.get(); }
  [[nodiscard]] const float* data() const { return floats_.get(); }
  [[nodiscard]] std::size_t size() const { return count_; }

private:
  struct release {
    void operator()(float* floats) const;
  };
  std::unique_ptr<float, release> floats_;
  std::size_t count_ = 0;
};

} // namespace ferry::upscale
