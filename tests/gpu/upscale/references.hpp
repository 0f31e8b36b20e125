// The pictures and outputs of tests/gpu/upscale/fixtures, and a plain evaluation of networks to compare with.
#pragma once

#include "gpu/upscale/network/load.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace ferry::upscale::test {

inline std::filesystem::path fixtures() { return UPSCALE_FIXTURES; }

inline std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

struct pixels {
  int width = 0;
  int height = 0;
  std::vector<float> rgb;
};

// What make_references.mjs enlarged: the upper left part of a picture.
inline pixels reference_input(const std::string& picture, int scale) {
  constexpr int full_width = 24;
  pixels part{scale == 2 ? 24 : scale == 8 ? 8 : 16, scale == 2 ? 20 : scale == 8 ? 8 : 12, {}};
  const std::string bytes = bytes_of(fixtures() / (picture + ".rgb"));
  for (int y = 0; y < part.height; ++y)
    for (int i = 0; i < part.width * 3; ++i)
      part.rgb.push_back(
          static_cast<float>(static_cast<unsigned char>(bytes.at(static_cast<std::size_t>(y * full_width * 3 + i)))));
  return part;
}

// In grey levels; exact to 1/64.
inline std::vector<float> reference_output(const std::string& network, int scale, const std::string& picture) {
  const std::string bytes = bytes_of(fixtures() / (network + "_x" + std::to_string(scale) + "_" + picture + ".i16"));
  std::vector<std::int16_t> fixed(bytes.size() / 2);
  std::memcpy(fixed.data(), bytes.data(), fixed.size() * 2);
  std::vector<float> levels;
  for (const std::int16_t value : fixed)
    levels.push_back(static_cast<float>(value) / 32.0F);
  return levels;
}

// The largest difference; infinity for sizes that differ and for what is not a number.
inline float furthest(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size())
    return INFINITY;
  float most = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    most = std::isfinite(a[i] - b[i]) ? std::max(most, std::abs(a[i] - b[i])) : INFINITY;
  return most;
}

// The network word by word as network.hpp describes it, in double precision: no layout, no tricks.
class plain_evaluation {
public:
  static std::vector<float> of(const network& model, const pixels& from) {
    plain_evaluation run{model, from.width, from.height};
    run.values_.resize(model.values.size());
    for (const float colour : from.rgb)
      run.values_[0].push_back(static_cast<double>(colour) * static_cast<double>(model.input_gain));
    for (const convolution& step : model.steps)
      run.compute(step);
    return run.shuffled(run.values_[index(model.steps.back().output)]);
  }

private:
  plain_evaluation(const network& model, int width, int height) : model_(model), width_(width), height_(height) {}

  static std::size_t index(int i) { return static_cast<std::size_t>(i); }
  [[nodiscard]] int channels(int value) const { return model_.values[index(value)].channels; }
  [[nodiscard]] double at(int value, int x, int y, int channel) const {
    return values_[index(value)][(index(y) * index(width_) + index(x)) * index(channels(value)) + index(channel)];
  }

  void compute(const convolution& step) {
    std::vector<double>& output = values_[index(step.output)];
    const int outputs = channels(step.output);
    for (int y = 0; y < height_; ++y)
      for (int x = 0; x < width_; ++x) {
        std::vector<double> sums(step.bias.begin(), step.bias.end());
        add_products(step, x, y, sums);
        for (int o = 0; o < outputs; ++o) {
          double& sum = sums[index(o)];
          sum = step.relu ? std::max(sum, 0.0) : sum;
          for (const auto& residual : step.residuals)
            sum += static_cast<double>(residual.gain) * at(residual.of, x, y, o);
          output.push_back(sum);
        }
      }
  }

  void add_products(const convolution& step, int x, int y, std::vector<double>& sums) const {
    const float* weight = step.weights.data();
    for (int ky = 0; ky < step.kernel; ++ky)
      for (int kx = 0; kx < step.kernel; ++kx) {
        const int from_x = x + kx - step.kernel / 2;
        const int from_y = y + ky - step.kernel / 2;
        const bool inside = from_x >= 0 && from_x < width_ && from_y >= 0 && from_y < height_;
        for (const int source : step.sources)
          for (int c = 0; c < channels(source); ++c, weight += sums.size())
            for (std::size_t o = 0; inside && o < sums.size(); ++o)
              sums[o] += at(source, from_x, from_y, c) * static_cast<double>(weight[o]);
      }
  }

  [[nodiscard]] std::vector<float> shuffled(const std::vector<double>& last) const {
    const int scale = model_.scale;
    std::vector<float> rgb(last.size());
    for (int y = 0; y < height_ * scale; ++y)
      for (int x = 0; x < width_ * scale; ++x)
        for (int c = 0; c < 3; ++c) {
          const int channel = ((y % scale) * scale + x % scale) * 3 + c;
          const std::size_t pixel = index(y / scale) * index(width_) + index(x / scale);
          rgb[(index(y) * index(width_ * scale) + index(x)) * 3 + index(c)] =
              static_cast<float>(last[pixel * index(3 * scale * scale) + index(channel)] * static_cast<double>(model_.output_gain));
        }
    return rgb;
  }

  const network& model_;
  int width_;
  int height_;
  std::vector<std::vector<double>> values_;
};

} // namespace ferry::upscale::test
