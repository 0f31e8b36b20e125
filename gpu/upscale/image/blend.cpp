#include "gpu/upscale/image/blend.hpp"

#include "gpu/upscale/image/resample.hpp"

#include <algorithm>
#include <optional>

namespace ferry::upscale {
namespace {

constexpr float full = 255; // both Lanczos and networks work on 0–255, whatever the depth

// A row of the source as Lanczos takes it: colours times alpha, and alpha.
void read_row(const picture& source, int y, std::span<float> to) {
  const float gain = full / static_cast<float>(source.sample_max());
  const std::uint16_t* from = source.samples.data() + static_cast<std::size_t>(y) * to.size();
  for (std::size_t i = 0; i < to.size(); ++i)
    to[i] = static_cast<float>(from[i]) * gain;
  if (!source.has_alpha())
    return;
  const auto channels = static_cast<std::size_t>(source.channels);
  for (std::size_t i = 0; i < to.size(); i += channels)
    for (std::size_t c = 0; c + 1 < channels; ++c)
      to[i + c] *= to[i + channels - 1] * (1 / full);
}

// Colours from colours times alpha.
void divide_by_alpha(std::span<float> row, std::size_t channels) {
  for (std::size_t i = 0; i < row.size(); i += channels) {
    const float alpha = row[i + channels - 1];
    const float gain = alpha > 0 ? full / alpha : 0;
    for (std::size_t c = 0; c + 1 < channels; ++c)
      row[i + c] = std::clamp(row[i + c] * gain, 0.0F, full);
  }
}

class blender {
public:
  blender(const picture& source, int scale, double control_weight, std::span<const float> network)
      : source_(source),
        network_(network),
        channels_(static_cast<std::size_t>(source.channels)),
        colours_(source.is_grey() ? 1 : 3),
        weight_(static_cast<float>(control_weight)) {
    made_.width = source.width * scale;
    made_.height = source.height * scale;
    made_.channels = source.channels;
    made_.bits = source.bits;
    made_.icc_profile = source.icc_profile;
    made_.samples.resize(made_.pixels() * channels_);
    row_.resize(static_cast<std::size_t>(made_.width) * channels_);
    if (weight_ < 1 || source.has_alpha())
      lanczos_.emplace(source.width, source.height, source.channels, scale,
                       [this](int y, std::span<float> row) { read_row(source_, y, row); });
  }

  picture blended() {
    for (int y = 0; y < made_.height; ++y) {
      if (lanczos_) {
        const auto from = lanczos_->next();
        std::copy(from.begin(), from.end(), row_.begin());
        if (source_.has_alpha())
          divide_by_alpha(row_, channels_);
      }
      if (weight_ > 0)
        mix(network_.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(made_.width) * 3);
      round_into(made_.samples.data() + static_cast<std::size_t>(y) * row_.size());
    }
    return std::move(made_);
  }

private:
  void mix(const float* network) {
    if (channels_ == 3) {
      for (std::size_t i = 0; i < row_.size(); ++i)
        row_[i] = (1 - weight_) * row_[i] + weight_ * network[i];
      return;
    }
    for (std::size_t i = 0; i < row_.size(); i += channels_, network += 3)
      if (colours_ == 1)
        row_[i] = (1 - weight_) * row_[i] + weight_ * (network[0] + network[1] + network[2]) / 3;
      else
        for (std::size_t c = 0; c < 3; ++c)
          row_[i + c] = (1 - weight_) * row_[i + c] + weight_ * network[c];
  }

  void round_into(std::uint16_t* to) const {
    const float max = static_cast<float>(made_.sample_max()), gain = max / full;
    for (std::size_t i = 0; i < row_.size(); ++i)
      to[i] = static_cast<std::uint16_t>(static_cast<int>(std::min(std::max(row_[i] * gain, 0.0F), max) + 0.5F));
    if (!source_.has_alpha())
      return;
    for (std::size_t i = 0; i < row_.size(); i += channels_)
      if (to[i + channels_ - 1] == 0)
        std::fill_n(to + i, channels_ - 1, std::uint16_t{0});
  }

  const picture& source_;
  std::span<const float> network_;
  std::size_t channels_, colours_;
  float weight_;
  picture made_;
  std::vector<float> row_;
  std::optional<lanczos_rows> lanczos_;
};

} // namespace

picture blend(const picture& source, int scale, double control_weight, std::span<const float> network) {
  return blender(source, scale, control_weight, network).blended();
}

} // namespace ferry::upscale
