// What a network read from files may hold at most. The largest known one (thick ×8) has 477 layers, 192 channels and 28 MiB of
// weights.
#pragma once

#include <cstddef>

namespace ferry::upscale::bounds {

inline constexpr std::size_t model_json_bytes_max = 8 * 1024 * 1024;
inline constexpr std::size_t weights_bytes_max = 512 * 1024 * 1024; // all shards together
inline constexpr std::size_t shards_max = 1'000;
inline constexpr std::size_t layers_max = 4'000;
inline constexpr int channels_max = 2'048;

} // namespace ferry::upscale::bounds
