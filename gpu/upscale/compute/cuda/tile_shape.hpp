// The shapes of the convolution kernels and every address that they compute: where a thread copies from and to, where a warp's
// fragments lie, where a weight is packed, where a result goes. Fragment layouts follow the tables of the PTX ISA for mma.m16n8k16
// (fp16), mma.m16n8k8 (tf32) and ldmatrix. All of it is constexpr and shared by kernels, packing and tests.
#pragma once

#include "gpu/upscale/compute/cuda/host_device.hpp"
#include "gpu/upscale/compute/cuda/numbers.hpp"

#include <cstdint>

namespace ferry::upscale::cuda {

inline constexpr int tile_width = 16; // pixels across of one block's tile: one fragment of 16 rows of the matrix product
inline constexpr int lanes_of_warp = 32;
inline constexpr int shared_bytes_max = 99 * 1024; // what a block may have on sm_86 and sm_89, the least of all we build for

// A block computes a tile of Rows × 16 pixels and 16 * Groups output channels. Its input, with the kernel's reach around, passes
// through shared memory plane by plane and is used there for all taps. Several stages of (pixels, weights) are in flight.
template <int Kernel, int Groups, int Rows>
struct tile_shape {
  static_assert(Kernel == 1 || Kernel == 3 || Kernel == 5);
  static_assert(Groups >= 1 && Groups <= 4);
  static_assert(Rows == 8 || Rows == 16);

  static constexpr int kernel = Kernel;
  static constexpr int reach = Kernel / 2;
  static constexpr int taps = Kernel * Kernel;
  static constexpr int groups = Groups;
  static constexpr int rows = Rows;

  // A warp's share is a rectangle of fragments: the larger, the fewer bytes of shared memory a multiplication costs, up to what
  // registers hold (128 sums a thread at most).
  static constexpr int warps_across = Groups == 4 && Rows == 8 ? 2 : 1;
  static constexpr int warps_down = Groups == 4 && Rows == 8 ? 2 : 4;
  static constexpr int warp_rows = Rows / warps_down;
  static constexpr int warp_groups = Groups / warps_across;
  static constexpr int threads = warps_across * warps_down * lanes_of_warp;

  static constexpr int planes_per_stage = Kernel == 1 ? 2 : 1;
  static constexpr int stages = Kernel == 5 ? 2 : 3;

  static constexpr int pitch = tile_width + 2 * reach; // pixels of a row of the tile with its surroundings
  static constexpr int pixels = pitch * (Rows + 2 * reach);
  static constexpr int plane_bytes = pixels * pixel_bytes;
  static constexpr int weights_bytes = planes_per_stage * taps * Groups * group_bytes;
  static constexpr int stage_bytes = planes_per_stage * plane_bytes + weights_bytes;
  static constexpr int shared_bytes = stages * stage_bytes;

  static constexpr int pixel_pieces = pixels * 2; // copies of 16 bytes for a plane
  static constexpr int pixel_rounds = (pixel_pieces + threads - 1) / threads;
  static constexpr int weight_pieces = weights_bytes / 16;
  static constexpr int weight_rounds = (weight_pieces + threads - 1) / threads;

  static_assert(warp_rows * warps_down == Rows && warp_groups * warps_across == Groups);
  static_assert(shared_bytes <= shared_bytes_max);
  static_assert(plane_bytes % 128 == 0 && weights_bytes % 128 == 0); // each plane starts at bank 0
  static_assert(threads % 16 == 0);                                  // see piece_offset
};

// Where half `half` (16 bytes) of pixel `pixel` of the tile lies in its plane in shared memory. The halves of every second four
// pixels are exchanged, so that the same half of any 8 consecutive pixels, which is what ldmatrix reads at once, touches all banks
// once.
[[nodiscard]] FERRY_HOST_DEVICE constexpr int pixel_offset(int pixel, int half) {
  return pixel * pixel_bytes + ((half ^ ((pixel >> 2) & 1)) << 4);
}

// Piece p of a plane is half p % 2 of pixel p / 2. Adding 16 pieces (8 pixels) to p adds 256 to the offset: a thread's pieces,
// which are Shape::threads apart, are at a fixed distance.
[[nodiscard]] FERRY_HOST_DEVICE constexpr int piece_offset(int piece) { return pixel_offset(piece >> 1, piece & 1); }

// Whose fragments: warp -> its first row and first group of channels.
template <class Shape>
[[nodiscard]] FERRY_HOST_DEVICE constexpr int first_row(int warp) {
  return warp / Shape::warps_across * Shape::warp_rows;
}
template <class Shape>
[[nodiscard]] FERRY_HOST_DEVICE constexpr int first_group(int warp) {
  return warp % Shape::warps_across * Shape::warp_groups;
}

// The 16 × 32 byte fragment of the pixels at tile row `row`: lane l hands ldmatrix.x4 the address of half l / 16 of pixel l % 16.
// With the tap's displacement, in pixels of the tile, that is pixel first + displacement, whose exchange of halves depends on the
// displacement modulo 8 only: fragment_offset(…, d) == fragment_offset(…, d % 8) + (d - d % 8) * 32. So 8 addresses serve all taps
// and rows.
template <class Shape>
[[nodiscard]] FERRY_HOST_DEVICE constexpr int fragment_offset(int lane, int row, int displacement) {
  return pixel_offset(row * Shape::pitch + (lane & 15) + displacement, lane >> 4);
}

// Results of an mma: lane l holds rows l / 4 and l / 4 + 8 (pixels) and, of each of the two 8-column matrices of a group, columns 2
// * (l % 4) and the next. Columns are given to channels so that these four are channels 4 * (l % 4) … + 3 of the group, which lie
// side by side in memory.
[[nodiscard]] FERRY_HOST_DEVICE constexpr int channel_of_column(int matrix, int column) {
  return 4 * (column >> 1) + 2 * matrix + (column & 1);
}
[[nodiscard]] FERRY_HOST_DEVICE constexpr int matrix_of_channel(int channel) { return (channel >> 1) & 1; }
[[nodiscard]] FERRY_HOST_DEVICE constexpr int column_of_channel(int channel) { return 2 * (channel >> 2) + (channel & 1); }

// Where the weight from channel `from` of a plane to channel `to` of a group lies in the 512 bytes of (plane, tap, group). For
// tensor cores: 16 bytes a lane, the registers b0 and b1 of the group's first matrix and of its second.
template <class Numbers>
[[nodiscard]] FERRY_HOST_DEVICE constexpr int weight_offset(int from, int to) {
  if (!Numbers::tensor_cores)
    return (from * group_channels + to) * 4;
  const int column = column_of_channel(to);
  const int matrix = matrix_of_channel(to);
  if (Numbers::plane_channels == 16) // b0: rows 2t, 2t + 1; b1: rows 2t + 8, 2t + 9; t = lane % 4; column = lane / 4
    return (column * 4 + ((from & 7) >> 1)) * 16 + (matrix * 2 + (from >> 3)) * 4 + (from & 1) * 2;
  return (column * 4 + (from & 3)) * 16 + (matrix * 2 + (from >> 2)) * 4; // b0: row t; b1: row t + 4
}

// Where channels 4q … 4q + 3 of a group lie: which plane of the value, and at which byte of the pixel.
template <class Numbers>
[[nodiscard]] FERRY_HOST_DEVICE constexpr int quad_plane(int group, int quad) {
  return Numbers::plane_channels == 16 ? group : group * 2 + (quad >> 1);
}
template <class Numbers>
[[nodiscard]] FERRY_HOST_DEVICE constexpr int quad_offset(int quad) {
  return Numbers::plane_channels == 16 ? quad * 8 : (quad & 1) * 16;
}

// depth_to_space in TensorFlow's order: how many floats after the first of pixel (0, 0) channel `channel` of that pixel goes.
[[nodiscard]] FERRY_HOST_DEVICE constexpr std::int64_t picture_offset(int channel, int scale, int width) {
  const int phase = channel / 3;
  return (static_cast<std::int64_t>(phase / scale) * width * scale + phase % scale) * 3 + channel % 3;
}

} // namespace ferry::upscale::cuda
