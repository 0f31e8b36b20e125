// A whole picture through an engine: cut into tiles that overlap, so that memory is bounded and seams do not show, and put
// together.
#pragma once

#include "gpu/upscale/compute/engine.hpp"
#include "gpu/upscale/image/picture.hpp"

#include <cstdint>
#include <functional>

namespace ferry::upscale {

struct tile_plan {
  int tile_pixels = 256;   // width and height of a tile without its overlap
  int overlap_pixels = 16; // on each side; see overlap_for()
};

// The overlap that keeps tiled and whole results within one grey level: the network's reach, or where that is too far to pay, what
// was measured to be enough (docs/upscaler.md).
[[nodiscard]] int overlap_for(const network& model);

// The largest tiles whose work on `engine` stays within `memory_bytes` (at least 32 pixels; fails with `out_of_memory` below that).
[[nodiscard]] result<tile_plan> plan_tiles(const engine& engine, int width, int height, std::uint64_t memory_bytes);

// (tiles done, tiles in all) -> go on? Called on the calling thread.
using tile_progress = std::function<bool(int, int)>;

// The network's result for the colours of `source`, as floats of 0–255 (values outside are clamped), three a pixel, scale times as
// large. Grey pictures go in with R = G = B. Alpha is not looked at. Computes row of tiles by row of tiles, with no more than two
// rows of tiles in memory.
[[nodiscard]] result<tile> enlarge_colours(engine& engine, const picture& source, const tile_plan& plan,
                                           const tile_progress& progress);

} // namespace ferry::upscale
