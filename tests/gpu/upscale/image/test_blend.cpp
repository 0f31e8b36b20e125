// The blend of Lanczos and network: weights, rounding, depth, grey, alpha.
#include "gpu/upscale/image/blend.hpp"
#include "made_pictures.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cmath>

using namespace ferry::upscale;
using namespace ferry::upscale::test;

namespace {

picture even(int channels, int bits, std::vector<std::uint16_t> pixel, int size = 6) {
  picture made{size, size, channels, bits, {}, {}};
  for (int i = 0; i < size * size; ++i)
    made.samples.insert(made.samples.end(), pixel.begin(), pixel.end());
  return made;
}

std::vector<float> network_of(const picture& source, int scale, std::vector<float> pixel) {
  std::vector<float> made;
  for (std::size_t i = 0; i < source.pixels() * static_cast<std::size_t>(scale * scale); ++i)
    made.insert(made.end(), pixel.begin(), pixel.end());
  return made;
}

} // namespace

TEST_CASE("each colour is the weighted mean of Lanczos and network, rounded to the nearest") {
  const picture source = even(3, 8, {100, 50, 200});
  const auto network = network_of(source, 2, {200, 50.4F, 0});
  const auto first = [&](double weight) {
    const picture made = blend(source, 2, weight, network);
    CHECK(made.width == 12);
    CHECK(made.height == 12);
    return std::vector<std::uint16_t>(made.samples.begin() + 30, made.samples.begin() + 33);
  };
  CHECK(first(0.25) == std::vector<std::uint16_t>{125, 50, 150});
  CHECK(first(0.5) == std::vector<std::uint16_t>{150, 50, 100});
  CHECK(first(1) == std::vector<std::uint16_t>{200, 50, 0});
  CHECK(first(0) == std::vector<std::uint16_t>{100, 50, 200});
}

TEST_CASE("what a network makes beyond black and white is clamped") {
  const picture source = even(3, 8, {0, 255, 128});
  const picture made = blend(source, 2, 1, network_of(source, 2, {-30, 300, 254.6F}));
  CHECK(made.samples[0] == 0);
  CHECK(made.samples[1] == 255);
  CHECK(made.samples[2] == 255);
}

TEST_CASE("16 bits keep their steps") {
  const picture source = even(3, 16, {1, 32768, 65535});
  CHECK(blend(source, 3, 0, {}).samples == even(3, 16, {1, 32768, 65535}, 18).samples);
  const picture made = blend(source, 2, 1, network_of(source, 2, {127.5F, 0.5F, 255}));
  CHECK(made.samples[0] == 32768); // 127.5 * 257 = 32767.5
  CHECK(made.samples[1] == 129);   // 0.5 * 257 = 128.5
  CHECK(made.samples[2] == 65535);
}

TEST_CASE("grey stays grey, and takes the mean of the network's colours") {
  picture source = even(1, 8, {100});
  source.icc_profile = small_profile(true);
  const picture made = blend(source, 2, 0.5, network_of(source, 2, {90, 120, 150}));
  CHECK(made.channels == 1);
  CHECK(made.samples.front() == 110);
  CHECK(made.icc_profile == source.icc_profile);
}

TEST_CASE("alpha is Lanczos whatever the weight, and has no say in an opaque picture") {
  const picture colours = noise(14, 9, 3, 8);
  picture source = colours;
  source.channels = 4;
  source.samples.clear();
  for (std::size_t i = 0; i < colours.samples.size(); i += 3) {
    source.samples.insert(source.samples.end(), colours.samples.begin() + static_cast<std::ptrdiff_t>(i),
                          colours.samples.begin() + static_cast<std::ptrdiff_t>(i) + 3);
    source.samples.push_back(255);
  }
  const picture without = blend(colours, 2, 0, {}), with = blend(source, 2, 0, {});
  int worst = 0;
  for (std::size_t i = 0; i < without.pixels(); ++i) {
    CHECK(with.samples[i * 4 + 3] == 255);
    for (std::size_t c = 0; c < 3; ++c)
      worst = std::max(worst, std::abs(int{with.samples[i * 4 + c]} - int{without.samples[i * 3 + c]}));
  }
  CHECK(worst <= 1);
  picture half = even(4, 8, {10, 20, 30, 77});
  const picture made = blend(half, 2, 1, network_of(half, 2, {200, 100, 0}));
  CHECK(std::vector<std::uint16_t>(made.samples.begin(), made.samples.begin() + 4) == std::vector<std::uint16_t>{200, 100, 0, 77});
}

TEST_CASE("enlarging and laying over a background can change places") {
  // Without premultiplication this holds for no picture whose colour and alpha change together.
  picture source = noise(16, 12, 4, 16);
  for (std::size_t i = 0; i < source.pixels(); ++i) { // smooth, so that nothing is clamped
    const double x = static_cast<double>(i % 16) / 15, y = static_cast<double>(i / 16) / 11;
    source.samples[i * 4] = static_cast<std::uint16_t>(20000 + 20000 * x);
    source.samples[i * 4 + 1] = static_cast<std::uint16_t>(40000 - 20000 * y);
    source.samples[i * 4 + 2] = static_cast<std::uint16_t>(30000 + 10000 * std::sin(3 * x));
    source.samples[i * 4 + 3] = static_cast<std::uint16_t>(5000 + 50000 * y);
  }
  const auto over_black = [](const picture& p) {
    picture made{p.width, p.height, 3, 16, {}, {}};
    for (std::size_t i = 0; i < p.pixels(); ++i)
      for (std::size_t c = 0; c < 3; ++c)
        made.samples.push_back(static_cast<std::uint16_t>(std::lround(1.0 * p.samples[i * 4 + c] * p.samples[i * 4 + 3] / 65535)));
    return made;
  };
  CHECK(largest_difference(over_black(blend(source, 2, 0, {})), blend(over_black(source), 2, 0, {})) <= 4); // of 65535
}

TEST_CASE("a transparent surrounding casts no fringe on an edge") {
  // Half a picture opaque white, half transparent black, as editors leave it.
  picture source{8, 4, 4, 8, {}, {}};
  for (int i = 0; i < 8 * 4; ++i) {
    const auto sample = static_cast<std::uint16_t>(i % 8 < 4 ? 255 : 0);
    source.samples.insert(source.samples.end(), 4, sample);
  }
  const picture made = blend(source, 4, 0, {});
  int half_transparent = 0;
  for (std::size_t i = 0; i < made.pixels(); ++i) {
    const auto alpha = made.samples[i * 4 + 3];
    half_transparent += alpha > 0 && alpha < 255 ? 1 : 0;
    CHECK(made.samples[i * 4] == (alpha > 0 ? 255 : 0));
  }
  CHECK(half_transparent > 0);
}
