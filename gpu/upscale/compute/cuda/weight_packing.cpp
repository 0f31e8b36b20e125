#include "gpu/upscale/compute/cuda/weight_packing.hpp"

#include "gpu/upscale/compute/cuda/tile_shape.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace ferry::upscale::cuda {

namespace {

[[nodiscard]] std::size_t rounded_up(std::size_t number, std::size_t unit) { return (number + unit - 1) / unit * unit; }

[[nodiscard]] int offset_in_group(enum precision precision, int from, int to) {
  switch (precision) {
  case precision::fp16: return weight_offset<fp16_numbers>(from, to);
  case precision::tf32: return weight_offset<tf32_numbers>(from, to);
  case precision::fp32: return weight_offset<fp32_numbers>(from, to);
  }
  return 0;
}

// Of the weight from channel `channel` of the list to output channel `to`.
[[nodiscard]] std::size_t packed_offset(const packing& how, int taps, int stages, int tap, int channel, int to) {
  const int channels = plane_channels(how.precision);
  const int plane =
      channel / channels; // in the list; stages lie one behind the other, so its number in its stage needs no extra term
  const int block = to / (how.groups * group_channels);
  const int group = to / group_channels % how.groups;
  const auto planes = static_cast<std::size_t>(stages) * static_cast<std::size_t>(how.planes_per_stage);
  const std::size_t tap_index =
      (static_cast<std::size_t>(block) * planes + static_cast<std::size_t>(plane)) * static_cast<std::size_t>(taps) +
      static_cast<std::size_t>(tap);
  return (tap_index * static_cast<std::size_t>(how.groups) + static_cast<std::size_t>(group)) * group_bytes +
         static_cast<std::size_t>(offset_in_group(how.precision, channel % channels, to % group_channels));
}

void store(std::byte* to, float weight, enum precision precision) {
  if (precision == precision::fp16) {
    const std::uint16_t half = half_from_float(weight);
    std::memcpy(to, &half, sizeof half);
    return;
  }
  const float number = precision == precision::tf32 ? round_to_tf32(weight) : weight;
  std::memcpy(to, &number, sizeof number);
}

} // namespace

int plane_channels(enum precision precision) {
  return precision == precision::fp16 ? fp16_numbers::plane_channels : fp32_numbers::plane_channels;
}

int planes_of(int channels, enum precision precision) {
  return (channels + plane_channels(precision) - 1) / plane_channels(precision);
}

int stages_of(const channel_list& channels, const packing& how) {
  const auto planes = channels.size() / static_cast<std::size_t>(plane_channels(how.precision));
  return static_cast<int>(rounded_up(planes, static_cast<std::size_t>(how.planes_per_stage)) /
                          static_cast<std::size_t>(how.planes_per_stage));
}

int channel_blocks_of(int output_channels, const packing& how) {
  const int channels = how.groups * group_channels;
  return (output_channels + channels - 1) / channels;
}

std::vector<std::byte> pack_weights(const convolution& step, int output_channels, const channel_list& channels,
                                    const packing& how) {
  const int taps = step.kernel * step.kernel;
  const int stages = stages_of(channels, how);
  const auto input_channels = step.weights.size() / static_cast<std::size_t>(taps) / static_cast<std::size_t>(output_channels);
  std::vector<std::byte> packed(static_cast<std::size_t>(channel_blocks_of(output_channels, how)) *
                                static_cast<std::size_t>(stages) * static_cast<std::size_t>(how.planes_per_stage) *
                                static_cast<std::size_t>(taps) * static_cast<std::size_t>(how.groups) * group_bytes);
  for (int tap = 0; tap < taps; ++tap) {
    for (std::size_t channel = 0; channel < channels.size(); ++channel) {
      if (channels[channel] < 0)
        continue;
      const float* from =
          step.weights.data() + (static_cast<std::size_t>(tap) * input_channels + static_cast<std::size_t>(channels[channel])) *
                                    static_cast<std::size_t>(output_channels);
      for (int to = 0; to < output_channels; ++to)
        store(packed.data() + packed_offset(how, taps, stages, tap, static_cast<int>(channel), to), from[to], how.precision);
    }
  }
  return packed;
}

float packed_weight(std::span<const std::byte> packed, const packing& how, int taps, int stages, int tap, int channel, int to) {
  const std::byte* from = packed.data() + packed_offset(how, taps, stages, tap, channel, to);
  if (how.precision == precision::fp16) {
    std::uint16_t half = 0;
    std::memcpy(&half, from, sizeof half);
    return float_from_half(half);
  }
  float number = 0;
  std::memcpy(&number, from, sizeof number);
  return number;
}

bool fits(const convolution& step, enum precision precision) {
  const auto finite = [&](float weight) {
    return std::isfinite(weight) && (precision != precision::fp16 || std::abs(weight) < 65520.0F);
  };
  return std::all_of(step.weights.begin(), step.weights.end(), finite) &&
         std::all_of(step.bias.begin(), step.bias.end(), [](float bias) { return std::isfinite(bias); });
}

} // namespace ferry::upscale::cuda
