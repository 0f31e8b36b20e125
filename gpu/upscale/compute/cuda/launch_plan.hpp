// A network made ready for the GPU, on the host: which kernels run, on which planes of one stretch of memory (the arena), with
// which packed weights. Pure: needs no device, so that tests can carry out a whole plan on the host.
#pragma once

#include "gpu/upscale/compute/cuda/convolution_parameters.hpp"
#include "gpu/upscale/compute/cuda/kernel_variant.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ferry::upscale::cuda {

inline constexpr int tile_side_max = 65'536;
inline constexpr int at_once_max = 1'024;
inline constexpr std::uint64_t plane_bytes_max = (std::uint64_t{1} << 31) - 1; // kernels count a plane's bytes in 32 bits

// One convolution, for any size of tile.
struct compiled_step {
  kernel_variant variant;         // its `rows` is chosen with the size
  std::size_t weights_offset = 0; // bytes, in compiled_network::constants
  std::size_t bias_offset = 0;
  convolution_parameters parameters; // what does not depend on the size of the tile
};

struct compiled_network {
  network model; // its weights are gone: `constants` has them
  enum precision precision = precision::fp16;
  std::vector<compiled_step> steps;
  std::vector<std::byte>
      constants; // weights and biases, each at a multiple of 256 bytes; may be let go once they are on the device
  std::uint64_t constants_bytes = 0;
  std::size_t arena_planes = 0;
  std::uint16_t input_plane = 0;
  bool split_input = false; // see input_parameters::split
};

// Checks the network (it may come from anywhere) and compiles it. Errors: `invalid_argument`, naming the step.
[[nodiscard]] result<compiled_network> compile(network model, enum precision precision);

// Tiles computed together, all of one size.
struct tile_batch {
  int width = 0;
  int height = 0;
  int count = 0;

  bool operator==(const tile_batch&) const = default;
};

[[nodiscard]] std::uint64_t plane_bytes(const tile_batch& batch);
[[nodiscard]] std::uint64_t input_bytes(const tile_batch& batch);
[[nodiscard]] std::uint64_t output_bytes(const tile_batch& batch, int scale);

// What one batch needs of the device's memory. It is laid out as these stretches, one behind the other.
struct workspace {
  std::uint64_t arena = 0;
  std::uint64_t input[2] = {0, 0}; // where they begin
  std::uint64_t output[2] = {0, 0};
  std::uint64_t bytes = 0; // of all
};
[[nodiscard]] workspace workspace_of(const compiled_network& compiled, const tile_batch& batch);

// Weights and workspace as the device's allocator hands memory out, in whole units. The largest number where it cannot be counted.
// (CUDA's own context, some hundred MiB a process, is not in it: no program can know or bound that.)
inline constexpr std::uint64_t allocation_unit = std::uint64_t{2} << 20;
[[nodiscard]] std::uint64_t in_units(std::uint64_t bytes);
[[nodiscard]] std::uint64_t device_bytes(const compiled_network& compiled, const tile_batch& batch);

struct launch {
  kernel_variant variant;
  unsigned blocks = 0;
  convolution_parameters parameters; // complete but for its pointers
  std::size_t weights_offset = 0;
  std::size_t bias_offset = 0;
  bool last = false; // writes the picture
};

// One a step, in order. `multiprocessors` decides how finely small tiles are cut.
[[nodiscard]] std::vector<launch> plan_launches(const compiled_network& compiled, const tile_batch& batch, int multiprocessors);

// How many tiles of this size are best computed together: as many as keep the activations that a layer touches within the device's
// second-level cache, but enough to occupy all of its multiprocessors.
[[nodiscard]] int preferred_count(const compiled_network& compiled, int width, int height, int multiprocessors,
                                  std::uint64_t cache_bytes);

} // namespace ferry::upscale::cuda
