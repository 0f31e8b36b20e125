#include "bench/upscale_cuda/stand_in.hpp"

#include <cmath>

namespace ferry::upscale {

namespace {

class builder {
public:
  builder(const std::string& name, int scale) {
    model_.name = name + " with random weights";
    model_.scale = scale;
    model_.values.push_back({3});
  }

  int add(const std::vector<int>& sources, int channels, int kernel, bool relu = false,
          std::vector<convolution::residual> residuals = {}) {
    convolution step;
    step.name = "layer " + std::to_string(model_.steps.size());
    step.sources = sources;
    step.output = static_cast<int>(model_.values.size());
    step.kernel = kernel;
    step.relu = relu;
    step.residuals = std::move(residuals);
    model_.values.push_back({channels});
    const int inputs = model_.input_channels(step);
    const float size = 1 / std::sqrt(static_cast<float>(kernel * kernel * inputs));
    step.weights.resize(static_cast<std::size_t>(kernel * kernel * inputs * channels));
    for (float& weight : step.weights)
      weight = size * next();
    step.bias.assign(static_cast<std::size_t>(channels), 0.0F);
    model_.steps.push_back(std::move(step));
    return static_cast<int>(model_.values.size()) - 1;
  }

  network model_;

private:
  float next() { // -1 to 1
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<float>(state_ >> 40) / 8388608.0F - 1;
  }
  std::uint64_t state_ = 1;
};

// The tail at full size is a convolution of all phases in the form that engines run (network.hpp).
[[nodiscard]] network residual_dense(const std::string& name, int scale, int blocks, int growth) {
  builder b(name, scale);
  const int outer = b.add({0}, 64, 3);
  int at = b.add({outer}, 64, 3);
  std::vector<int> results;
  for (int block = 0; block < blocks; ++block) {
    const int grown = b.add({at}, growth, 3, true);
    at = b.add({at, grown}, 64, 1, false, {{at, 1}});
    results.push_back(at);
  }
  at = b.add(results, 64, 1);
  at = b.add({at}, 64, 3, false, {{outer, 1}});
  at = b.add({at}, 64, 5, true);
  at = b.add({at}, 32, 3, true);
  at = b.add({at}, 3 * scale * scale, 3);
  b.add({at}, 3 * scale * scale, 3);
  return std::move(b.model_);
}

[[nodiscard]] network residual_in_residual(const std::string& name, int scale) {
  builder b(name, scale);
  const int outer = b.add({0}, 64, 3);
  int at = outer;
  for (int block = 0; block < 10; ++block) {
    const int into = at;
    for (int inner = 0; inner < 3; ++inner) {
      std::vector<int> sources = {at};
      for (int layer = 0; layer < 4; ++layer)
        sources.push_back(b.add(sources, 32, 3, true));
      std::vector<convolution::residual> residuals = {{at, inner == 2 ? 0.2F : 1.0F}};
      if (inner == 2)
        residuals.push_back({into, 1});
      at = b.add(sources, 64, 3, false, residuals);
    }
  }
  at = b.add({at}, 64, 3, false, {{outer, 1}});
  at = b.add({at}, 3 * scale * scale, 3);
  b.add({at}, 3 * scale * scale, 3);
  b.model_.input_gain = 1.0F / 255;
  b.model_.output_gain = 255;
  return std::move(b.model_);
}

} // namespace

result<network> stand_in(const std::string& name, int scale) {
  if (name == "slim")
    return residual_dense(name, scale, 2, 4);
  if (name == "medium")
    return residual_dense(name, scale, 10, 64);
  if (name == "thick")
    return residual_in_residual(name, scale);
  return fail(error_code::invalid_argument, "network " + name + " is not known; slim, medium and thick are");
}

} // namespace ferry::upscale
