// A convolution's weights in the order in which the kernels read them: for each block of output channels, stage, plane, tap and
// group the 512 bytes that tile_shape.hpp lays out, so that a block copies its share of a stage in one piece.
#pragma once

#include "gpu/upscale/compute/cuda/cuda_engine.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace ferry::upscale::cuda {

[[nodiscard]] int plane_channels(enum precision precision);
[[nodiscard]] int planes_of(int channels, enum precision precision);

// The input channels (of the convolution's weights) that the channels of its source planes are, plane after plane; -1 where a plane
// is padded. Input channels may occur more than once: what they hold is then added up.
using channel_list = std::vector<int>;

struct packing {
  enum precision precision = precision::fp16;
  int groups = 2;           // of one block
  int planes_per_stage = 1; // the list is continued with unused planes up to whole stages
};

[[nodiscard]] int stages_of(const channel_list& channels, const packing& how);
[[nodiscard]] int channel_blocks_of(int output_channels, const packing& how);

// Weights too large for fp16 become infinite: see `fits`.
[[nodiscard]] std::vector<std::byte> pack_weights(const convolution& step, int output_channels, const channel_list& channels,
                                                  const packing& how);

// The weight that was packed from channel `channel` of the list to output channel `to`, as float: what the kernels will multiply
// with.
[[nodiscard]] float packed_weight(std::span<const std::byte> packed, const packing& how, int taps, int stages, int tap, int channel,
                                  int to);

// Whether every weight and bias is finite in this precision.
[[nodiscard]] bool fits(const convolution& step, enum precision precision);

} // namespace ferry::upscale::cuda
