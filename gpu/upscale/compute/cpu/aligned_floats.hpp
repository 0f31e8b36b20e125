// Floats on cache lines: a vector that lies across two lines costs two loads.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>

namespace ferry::upscale {

class aligned_floats {
public:
  aligned_floats() = default;

  // All zero. Throws std::bad_alloc.
  explicit aligned_floats(std::size_t count)
      : floats_(static_cast<float*>(::operator new(count * sizeof(float), alignment))), count_(count) {
    std::fill_n(floats_.get(), count, 0.0F);
  }

  [[nodiscard]] float* data() { return floats_.get(); }
  [[nodiscard]] const float* data() const { return floats_.get(); }
  [[nodiscard]] std::size_t size() const { return count_; }

private:
  static constexpr std::align_val_t alignment{64};
  struct release {
    void operator()(float* floats) const { ::operator delete(floats, alignment); }
  };
  std::unique_ptr<float, release> floats_;
  std::size_t count_ = 0;
};

} // namespace ferry::upscale
