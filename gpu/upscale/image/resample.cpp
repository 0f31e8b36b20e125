#include "gpu/upscale/image/resample.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace ferry::upscale {
namespace {

constexpr int lobes = 3;

double sinc(double x) { return x == 0 ? 1 : std::sin(std::numbers::pi * x) / (std::numbers::pi * x); }
double lanczos(double x) { return std::abs(x) < lobes ? sinc(x) * sinc(x / lobes) : 0; }

// to[i] = sum of weights[t] * from[t][i]; the compiler vectorises it.
void weighted_sum(const std::array<const float*, 6>& from, const std::array<float, 6>& weights, std::size_t count, float* to) {
  const float *a = from[0], *b = from[1], *c = from[2], *d = from[3], *e = from[4], *f = from[5];
  const float u = weights[0], v = weights[1], w = weights[2], x = weights[3], y = weights[4], z = weights[5];
  for (std::size_t i = 0; i < count; ++i)
    to[i] = u * a[i] + v * b[i] + w * c[i] + x * d[i] + y * e[i] + z * f[i];
}

} // namespace

lanczos_rows::lanczos_rows(int width, int height, int channels, int scale, row_reader read_row)
    : width_(width), height_(height), channels_(channels), scale_(scale), read_row_(std::move(read_row)) {
  for (int i = 0; i < scale; ++i) {
    phase p;
    const double at = (i + 0.5) / scale - 0.5; // between -1/2 and 1/2
    p.first = static_cast<int>(std::floor(at)) - lobes + 1;
    std::array<double, taps> weights{};
    double sum = 0;
    for (int t = 0; t < taps; ++t)
      sum += weights.at(static_cast<std::size_t>(t)) = lanczos(at - (p.first + t));
    std::transform(weights.begin(), weights.end(), p.weights.begin(),
                   [&](double weight) { return static_cast<float>(weight / sum); });
    phases_.push_back(p);
  }
  const std::size_t row = static_cast<std::size_t>(width) * static_cast<std::size_t>(channels);
  source_row_.resize(row + 2 * lobes * static_cast<std::size_t>(channels));
  one_phase_.resize(row);
  result_.resize(row * static_cast<std::size_t>(scale));
  for (auto& wide : wide_rows_)
    wide.resize(result_.size());
}

void lanczos_rows::widen(int y) {
  const auto channels = static_cast<std::size_t>(channels_);
  const std::size_t margin = lobes * channels, row = one_phase_.size();
  read_row_(y, std::span(source_row_).subspan(margin, row));
  for (std::size_t i = 0; i < margin; ++i) {
    source_row_[i] = source_row_[margin + i % channels];
    source_row_[margin + row + i] = source_row_[row + margin - channels + i % channels];
  }
  float* wide = wide_rows_.at(static_cast<std::size_t>(y % taps)).data();
  const std::size_t step = static_cast<std::size_t>(scale_) * channels;
  for (std::size_t p = 0; p < phases_.size(); ++p) {
    std::array<const float*, taps> from{};
    for (int t = 0; t < taps; ++t)
      from.at(static_cast<std::size_t>(t)) = source_row_.data() + static_cast<std::size_t>(lobes + phases_[p].first + t) * channels;
    weighted_sum(from, phases_[p].weights, row, one_phase_.data());
    float* to = wide + p * channels;
    for (std::size_t i = 0; i < row; i += channels, to += step)
      for (std::size_t c = 0; c < channels; ++c)
        to[c] = one_phase_[i + c];
  }
}

std::span<const float> lanczos_rows::next() {
  const phase& p = phases_[static_cast<std::size_t>(next_row_ % scale_)];
  const int first = next_row_ / scale_ + p.first;
  while (widened_ < height_ && widened_ < first + taps)
    widen(widened_++);
  std::array<const float*, taps> from{};
  for (int t = 0; t < taps; ++t)
    from.at(static_cast<std::size_t>(t)) =
        wide_rows_.at(static_cast<std::size_t>(std::clamp(first + t, 0, height_ - 1) % taps)).data();
  weighted_sum(from, p.weights, result_.size(), result_.data());
  ++next_row_;
  return result_;
}

} // namespace ferry::upscale
