// Networks with random weights, and pictures of random pixels, from a seed.
#pragma once

#include "gpu/upscale/compute/engine.hpp"

#include <cmath>
#include <cstdint>
#include <random>

namespace ferry::upscale::test {

class random_network {
public:
  random_network(std::uint32_t seed, int scale) : random_(seed) {
    made_.name = "random";
    made_.scale = scale;
    made_.input_gain = 1.0F / 255.0F;
    made_.output_gain = 255.0F;
    made_.values.push_back({3});
  }

  // A convolution to `channels` of a new value, which is answered.
  int add(std::vector<int> sources, int channels, int kernel, bool relu = false,
          std::vector<convolution::residual> residuals = {}) {
    convolution step;
    step.name = "step " + std::to_string(made_.steps.size());
    step.sources = std::move(sources);
    step.kernel = kernel;
    step.relu = relu;
    step.residuals = std::move(residuals);
    const int inputs = kernel * kernel * made_.input_channels(step);
    std::uniform_real_distribution<float> spread(-1, 1);
    const float width = std::sqrt(3.0F / static_cast<float>(inputs));
    for (int i = 0; i < inputs * channels; ++i)
      step.weights.push_back(spread(random_) * width);
    for (int i = 0; i < channels; ++i)
      step.bias.push_back(spread(random_) * 0.1F);
    made_.values.push_back({channels});
    step.output = static_cast<int>(made_.values.size()) - 1;
    made_.steps.push_back(std::move(step));
    return made_.steps.back().output;
  }

  // The last step.
  network finish(std::vector<int> sources, int kernel = 3) {
    add(std::move(sources), 3 * made_.scale * made_.scale, kernel);
    return made_;
  }

private:
  std::mt19937 random_;
  network made_;
};

// Every way of computing a convolution: direct, narrow and Winograd's, of 1×1, 3×3 and 5×5, from several sources, with residuals.
inline network network_of_all_kinds(std::uint32_t seed, int scale) {
  random_network made(seed, scale);
  const int first = made.add({0}, 40, 3);
  const int grown = made.add({first}, 4, 3, true);
  const int wide = made.add({first, grown}, 40, 1, false, {{first, 1.0F}});
  const int large = made.add({wide}, 24, 5, true);
  const int again = made.add({large, wide, grown}, 40, 3, true, {{first, 0.5F}, {wide, -0.25F}});
  const int few = made.add({again}, 7, 5);
  const int thin = made.add({0, few}, 5, 1, true);
  const int odd = made.add({again, thin}, 33, 3, false, {{made.add({thin}, 33, 3), 2.0F}});
  return made.finish({odd, few});
}

inline tile random_tile(std::uint32_t seed, int width, int height) {
  tile made{width, height, {}};
  std::mt19937 random(seed);
  for (int i = 0; i < width * height * 3; ++i)
    made.rgb.push_back(static_cast<float>(random() % 256));
  return made;
}

} // namespace ferry::upscale::test
