// Whole launch plans on the host, and what they are compared with.
#pragma once

#include "gpu/upscale/compute/cuda/launch_plan.hpp"
#include "tests/gpu/upscale/cuda/host_machine.hpp"

#include <cstdint>
#include <vector>

namespace ferry::upscale::cuda {

// What a device would answer for these tiles, computed together. All of the arena is NaN before.
struct host_result {
  std::vector<tile> outputs;
  host_findings findings;
};
[[nodiscard]] host_result run_on_host(const compiled_network& compiled, const std::vector<tile>& inputs, int multiprocessors);

// The network by its definition, in double, no faster than it need be.
[[nodiscard]] tile run_plainly(const network& model, const tile& input);

[[nodiscard]] double largest_difference(const tile& a, const tile& b);

// A reproducible sequence.
class random_numbers {
public:
  explicit random_numbers(std::uint64_t seed) : state_(seed * 2 + 1) {}
  std::uint32_t next() {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<std::uint32_t>(state_ >> 33);
  }
  int between(int least, int most) { return least + static_cast<int>(next() % static_cast<std::uint32_t>(most - least + 1)); }
  float real() { return static_cast<float>(next() % 65536) / 65536.0F; }

private:
  std::uint64_t state_;
};

// `exact` tiles and networks: inputs and weights of so few bits that every precision computes the same, to the last bit.
[[nodiscard]] tile random_tile(int width, int height, std::uint64_t seed, bool exact);

struct layer {
  std::vector<int> sources;
  int channels = 0;
  int kernel = 3;
  bool relu = false;
  std::vector<convolution::residual> residuals;
};
[[nodiscard]] network make_network(int scale, const std::vector<layer>& layers, std::uint64_t seed, bool exact);

} // namespace ferry::upscale::cuda
