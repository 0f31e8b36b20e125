#include "gpu/upscale/network/network.hpp"

#include <algorithm>

namespace ferry::upscale {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

} // namespace

int network::input_channels(const convolution& step) const {
  int channels = 0;
  for (const int source : step.sources)
    channels += values[at(source)].channels;
  return channels;
}

int network::reach_pixels() const {
  std::vector<int> reach(values.size(), 0);
  for (const convolution& step : steps) {
    int& here = reach[at(step.output)];
    for (const int source : step.sources)
      here = std::max(here, reach[at(source)] + step.kernel / 2);
    for (const auto& residual : step.residuals)
      here = std::max(here, reach[at(residual.of)]);
  }
  return steps.empty() ? 0 : reach[at(steps.back().output)];
}

double network::multiplications_per_pixel() const {
  double count = 0;
  for (const convolution& step : steps)
    count += 1.0 * step.kernel * step.kernel * input_channels(step) * values[at(step.output)].channels;
  return count;
}

} // namespace ferry::upscale
