// What the compiled kernels take: plain structures and pointers, so that a file compiled for AVX-512 holds nothing that the linker
// could share with files compiled for any processor.
//
// Activations are planes of `lanes` channels: pixel (x, y) of a plane is `lanes` floats at plane + y * row + x * lanes. Around each
// plane lie zeros that are never written: 2 pixels to the left and above, 6 to the right and below (Winograd's tiles
// reach 5 pixels beyond).
#pragma once

#include <cstddef>

namespace ferry::upscale::kernels {

inline constexpr int border_before = 2;
inline constexpr int border_after = 6;

struct geometry {
  int width = 0;
  int height = 0;
  std::ptrdiff_t row = 0; // floats from one row to the next
};

struct added {
  const float* const* planes = nullptr; // one an output block
  float gain = 1;
};

// What happens to a sum before it is stored: + bias, relu, + gain * residual.
struct epilogue {
  float* const* outputs = nullptr; // planes, one a block of `lanes` output channels
  const float* bias = nullptr;     // padded to whole blocks
  bool relu = false;
  int residual_count = 0;
  added residuals[2];
};

// One tap of one source plane: `in` is what pixel (0, 0) of the output reads.
struct segment {
  const float* in = nullptr;
  int channels = 0; // the first of the plane's lanes
};

// Up to `vectors_max` output blocks that are computed together. Weights: [segment][channel][vector][lane].
struct group {
  int first_block = 0;
  int vectors = 1;
  const segment* segments = nullptr;
  int segment_count = 0;
  const float* weights = nullptr;
};

struct direct_step {
  geometry at;
  const group* groups = nullptr;
  int group_count = 0;
  epilogue end;
};

// A 3×3 convolution that makes few channels, as one 1×1 convolution to 9 × channels partial sums (tap-major, in whole blocks) and
// an addition of nine shifted neighbours: lanes that a direct convolution would leave empty work. Groups write to `scratch`.
struct narrow_step {
  geometry at;
  const group* groups = nullptr; // of the 1×1 convolution; first_block counts blocks of partial sums
  int group_count = 0;
  int partial_blocks = 0;
  int channels = 0; // of the output; 9 * channels <= partial_blocks * lanes
  epilogue end;
};

// Winograd's minimal filtering F(4 × 4, r × r) with alpha = 4 + r - 1, after Lavin and Gray (arXiv 1509.09308). Larger tiles for
// 3×3 filters, F(6 × 6, 3 × 3), were tried: as exact, and no faster, for their weights no longer fit the caches.
struct winograd_step {
  geometry at;
  int alpha = 6; // 6: 3×3 filters; 8: 5×5 filters
  int reach = 1; // of the filter: 1 or 2
  const float* const* inputs = nullptr;
  int in_blocks = 0;
  int out_blocks = 0;
  const float* weights = nullptr; // [alpha²][group of vectors_max blocks][in block][channel][vector][lane]
  epilogue end;
  int tiles_across = 0;
  int tile_count = 0;
  int tiles_at_once = 0; // of one block of work
};

struct table {
  int lanes = 0;          // channels of a plane
  int vectors_max = 0;    // output blocks of a group
  int tiles_together = 0; // tiles_at_once is a multiple of this where it can
  void (*direct_rows)(const direct_step&, int row_begin, int row_end) = nullptr;
  // `scratch`: narrow_scratch_floats() of the step.
  void (*narrow_rows)(const narrow_step&, int row_begin, int row_end, float* scratch) = nullptr;
  // `scratch`: winograd_scratch_floats() of the step. Tiles are numbered row after row.
  void (*winograd_tiles)(const winograd_step&, int tile_begin, int tile_end, float* scratch) = nullptr;
};

inline constexpr int winograd_tile = 4; // width and height of what one tile makes

[[nodiscard]] inline std::size_t winograd_scratch_floats(const winograd_step& step, int lanes) {
  return static_cast<std::size_t>(step.alpha) * static_cast<std::size_t>(step.alpha) *
         static_cast<std::size_t>(step.in_blocks + step.out_blocks) * static_cast<std::size_t>(step.tiles_at_once) *
         static_cast<std::size_t>(lanes);
}

inline constexpr int narrow_rows_at_once = 8;

[[nodiscard]] inline std::size_t narrow_scratch_floats(const narrow_step& step, int lanes) {
  return static_cast<std::size_t>(narrow_rows_at_once + 2) * static_cast<std::size_t>(step.at.width + 2) *
         static_cast<std::size_t>(step.partial_blocks * lanes);
}

[[nodiscard]] const table& portable_table();
[[nodiscard]] const table& avx2_table();   // only where the build has it: FERRY_KERNELS_X86
[[nodiscard]] const table& avx512_table(); // likewise

} // namespace ferry::upscale::kernels
