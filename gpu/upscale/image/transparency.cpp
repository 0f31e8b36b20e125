#include "gpu/upscale/image/transparency.hpp"

#include <array>
#include <limits>

namespace ferry::upscale {
namespace {

class filler {
public:
  explicit filler(picture& into)
      : into_(into),
        width_(static_cast<std::size_t>(into.width)),
        channels_(static_cast<std::size_t>(into.channels)),
        ring_of_(into.pixels(), unknown) {}

  void fill() {
    std::vector<std::uint32_t> ring = visible_rim();
    for (std::uint32_t number = 1; !ring.empty(); ++number) {
      std::vector<std::uint32_t> next;
      for (const std::uint32_t pixel : ring)
        for_neighbours(pixel, [&](std::uint32_t neighbour) {
          if (ring_of_[neighbour] == unknown) {
            ring_of_[neighbour] = number;
            next.push_back(neighbour);
          }
        });
      for (const std::uint32_t pixel : next)
        take_mean_of_inner(pixel, number);
      ring = std::move(next);
    }
  }

private:
  static constexpr std::uint32_t unknown = std::numeric_limits<std::uint32_t>::max();

  template <class Visit>
  void for_neighbours(std::uint32_t pixel, Visit visit) const {
    const std::size_t x = pixel % width_, y = pixel / width_, height = ring_of_.size() / width_;
    for (std::size_t to_y = y == 0 ? 0 : y - 1; to_y <= y + 1 && to_y < height; ++to_y)
      for (std::size_t to_x = x == 0 ? 0 : x - 1; to_x <= x + 1 && to_x < width_; ++to_x)
        if (to_x != x || to_y != y)
          visit(static_cast<std::uint32_t>(to_y * width_ + to_x));
  }

  std::vector<std::uint32_t> visible_rim() {
    for (std::size_t i = 0; i < ring_of_.size(); ++i)
      if (into_.samples[i * channels_ + channels_ - 1] != 0)
        ring_of_[i] = 0;
    std::vector<std::uint32_t> rim;
    for (std::uint32_t i = 0; i < ring_of_.size(); ++i) {
      bool at_rim = false;
      if (ring_of_[i] == 0)
        for_neighbours(i, [&](std::uint32_t neighbour) { at_rim |= ring_of_[neighbour] == unknown; });
      if (at_rim)
        rim.push_back(i);
    }
    return rim;
  }

  void take_mean_of_inner(std::uint32_t pixel, std::uint32_t ring) {
    std::array<unsigned, 3> sum{};
    unsigned count = 0;
    for_neighbours(pixel, [&](std::uint32_t neighbour) {
      if (ring_of_[neighbour] >= ring)
        return;
      ++count;
      for (std::size_t c = 0; c + 1 < channels_; ++c)
        sum.at(c) += into_.samples[neighbour * channels_ + c];
    });
    for (std::size_t c = 0; c + 1 < channels_; ++c)
      into_.samples[pixel * channels_ + c] = static_cast<std::uint16_t>((sum.at(c) + count / 2) / count);
  }

  picture& into_;
  std::size_t width_;
  std::size_t channels_;
  std::vector<std::uint32_t> ring_of_; // 0: visible; how far from it otherwise
};

} // namespace

void fill_transparent(picture& into) {
  if (into.has_alpha())
    filler(into).fill();
}

} // namespace ferry::upscale
