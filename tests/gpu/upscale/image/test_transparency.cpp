#include "gpu/upscale/image/transparency.hpp"
#include "made_pictures.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ferry::upscale;
using namespace ferry::upscale::test;

TEST_CASE("what lies under full transparency takes the colours beside it, ring after ring") {
  picture row{5, 1, 4, 8, {}, {}};
  row.samples = {100, 10, 0, 255, 9, 9, 9, 0, 9, 9, 9, 0, 9, 9, 9, 0, 200, 30, 50, 1};
  fill_transparent(row);
  CHECK(row.samples == std::vector<std::uint16_t>{100, 10, 0, 255, 100, 10, 0, 0, 150, 20, 25, 0, 200, 30, 50, 0, 200, 30, 50, 1});
}

TEST_CASE("visible pixels keep their colours, and every other one gets a colour of theirs") {
  picture source = noise(31, 17, 2, 16);
  for (std::size_t i = 0; i < source.pixels(); ++i) {
    source.samples[i * 2] = static_cast<std::uint16_t>(1000 + source.samples[i * 2] % 1000);
    if (i % 7 != 0) {
      source.samples[i * 2] = 0;
      source.samples[i * 2 + 1] = 0;
    } else if (source.samples[i * 2 + 1] == 0) {
      source.samples[i * 2 + 1] = 1;
    }
  }
  const picture before = source;
  fill_transparent(source);
  for (std::size_t i = 0; i < source.pixels(); ++i) {
    CHECK(source.samples[i * 2 + 1] == before.samples[i * 2 + 1]);
    if (before.samples[i * 2 + 1] != 0)
      CHECK(source.samples[i * 2] == before.samples[i * 2]);
    else
      CHECK((source.samples[i * 2] >= 1000 && source.samples[i * 2] < 2000));
  }
}

TEST_CASE("a picture that is all transparent, or has no alpha, is left alone") {
  picture nothing{3, 3, 4, 8, std::vector<std::uint16_t>(36, 0), {}};
  fill_transparent(nothing);
  CHECK(nothing.samples == std::vector<std::uint16_t>(36, 0));
  picture opaque = noise(3, 3, 3, 8);
  const auto before = opaque.samples;
  fill_transparent(opaque);
  CHECK(opaque.samples == before);
}
