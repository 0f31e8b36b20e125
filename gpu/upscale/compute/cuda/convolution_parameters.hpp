// What one launch of a convolution kernel is told. Passed by value; plain data for both compilers.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ferry::upscale::cuda {

inline constexpr int source_planes_max = 192; // 3072 input channels in fp16, 1536 in fp32

struct convolution_parameters {
  std::byte* arena = nullptr;         // plane p of the activations begins at arena + p * plane_bytes
  const std::byte* weights = nullptr; // [block of channels][stage][plane of the stage][tap][group][512 bytes]
  const float* bias = nullptr;        // one an output channel, padded with zeros to whole blocks
  float* picture = nullptr; // not null: the last step, whose result goes there by depth_to_space instead of into the arena
  std::uint64_t plane_bytes = 0;

  int width = 0;
  int height = 0;
  int tiles_across = 0;
  int tiles_down = 0;
  int channel_blocks = 0; // blocks that share a tile of pixels, each with 16 * groups output channels
  int stages = 0;         // of the sum over input planes

  int output_plane = 0; // first of the planes of the value made
  int output_planes = 0;
  int relu = 0;
  int residuals = 0;
  int residual_plane[2] = {0, 0};
  float residual_gain[2] = {0, 0};

  int scale = 1; // of the last step
  int channels = 0;
  float gain = 1;

  std::uint16_t sources[source_planes_max] = {}; // planes read, in the order in which weights were packed
};

} // namespace ferry::upscale::cuda
