// A picture in memory, upright, with what must survive enlarging: depth, alpha, greyness and colour profile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ferry::upscale {

struct picture {
  int width = 0;
  int height = 0;
  int channels = 3;                   // 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha
  int bits = 8;                       // 8: samples are 0–255; 16: 0–65535
  std::vector<std::uint16_t> samples; // interleaved, row after row: width * height * channels
  std::vector<std::byte> icc_profile; // empty: none

  [[nodiscard]] bool has_alpha() const { return channels == 2 || channels == 4; }
  [[nodiscard]] bool is_grey() const { return channels <= 2; }
  [[nodiscard]] int sample_max() const { return bits == 16 ? 65535 : 255; }
  [[nodiscard]] std::size_t pixels() const { return static_cast<std::size_t>(width) * static_cast<std::size_t>(height); }
};

} // namespace ferry::upscale
