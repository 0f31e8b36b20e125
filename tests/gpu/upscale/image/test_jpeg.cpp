// JPEG: grey and RGB, orientation, profiles.
#include "gpu/upscale/image/codec.hpp"
#include "made_pictures.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ferry;
using namespace ferry::upscale;
using namespace ferry::upscale::test;

namespace {

enum corner { top_left, top_right, bottom_left, bottom_right };

// A picture whose four quarters have four greys, 16 pixels to a block, so that JPEG keeps them apart.
picture quarters() {
  picture made{64, 32, 1, 8, {}, {}};
  for (int y = 0; y < 32; ++y)
    for (int x = 0; x < 64; ++x)
      made.samples.push_back(static_cast<std::uint16_t>(40 + (y >= 16 ? 100 : 0) + (x >= 32 ? 50 : 0)));
  return made;
}

int near_corner(const picture& p, corner which) {
  const int x = which == top_left || which == bottom_left ? 4 : p.width - 5,
            y = which == top_left || which == top_right ? 4 : p.height - 5;
  return p.samples[static_cast<std::size_t>(y) * static_cast<std::size_t>(p.width) + static_cast<std::size_t>(x)];
}

} // namespace

TEST_CASE("a JPEG is turned upright by each of the eight orientations") {
  // EXIF 2.3, tag 0x0112: on which sides the stored picture's row 0 and column 0 are to be seen. So the corner that each stored
  // corner goes to.
  struct seen {
    int orientation;
    corner stored_top_left, stored_top_right, stored_bottom_left, stored_bottom_right;
  };
  const std::vector<seen> table{
      {1, top_left, top_right, bottom_left, bottom_right}, // row 0 top, column 0 left
      {2, top_right, top_left, bottom_right, bottom_left}, // top, right
      {3, bottom_right, bottom_left, top_right, top_left}, // bottom, right
      {4, bottom_left, bottom_right, top_left, top_right}, // bottom, left
      {5, top_left, bottom_left, top_right, bottom_right}, // left, top
      {6, top_right, bottom_right, top_left, bottom_left}, // right, top
      {7, bottom_right, top_right, bottom_left, top_left}, // right, bottom
      {8, bottom_left, top_left, bottom_right, top_right}, // left, bottom
  };
  const scratch_folder folder;
  const auto file = folder.path() / "a.jpg";
  for (const seen& s : table)
    for (const bool big_endian : {false, true}) {
      INFO("orientation " << s.orientation << (big_endian ? ", big endian" : ", little endian"));
      write_jpeg_form(file, quarters(), {.orientation = s.orientation, .big_endian = big_endian});
      const auto read = read_picture(file);
      REQUIRE(read);
      CHECK(read->width == (s.orientation >= 5 ? 32 : 64));
      CHECK(read->height == (s.orientation >= 5 ? 64 : 32));
      CHECK(std::abs(near_corner(*read, s.stored_top_left) - 40) <= 2);
      CHECK(std::abs(near_corner(*read, s.stored_top_right) - 90) <= 2);
      CHECK(std::abs(near_corner(*read, s.stored_bottom_left) - 140) <= 2);
      CHECK(std::abs(near_corner(*read, s.stored_bottom_right) - 190) <= 2);
      // Written again it is upright, and says nothing else.
      REQUIRE(write_picture(*read, folder.path() / "b.jpg"));
      CHECK(bytes_of(folder.path() / "b.jpg").find("Exif") == std::string::npos);
    }
}

TEST_CASE("an orientation that makes no sense is passed over") {
  const scratch_folder folder;
  const auto file = folder.path() / "a.jpg";
  for (const int orientation : {9, 200}) {
    write_jpeg_form(file, quarters(), {.orientation = orientation});
    const auto read = read_picture(file);
    REQUIRE(read);
    CHECK(read->width == 64);
  }
}

TEST_CASE("JPEG is read and written in grey and RGB, baseline and progressive, with its profile") {
  const scratch_folder folder;
  for (const int channels : {1, 3})
    for (const bool progressive : {false, true}) {
      INFO(channels << " channels" << (progressive ? ", progressive" : ""));
      picture source{48, 40, channels, 8, {}, {}};
      for (int i = 0; i < 48 * 40; ++i)
        for (int c = 0; c < channels; ++c)
          source.samples.push_back(static_cast<std::uint16_t>(i % 48 * 2 + i / 48 * 2 + 20 * c));
      write_jpeg_form(folder.path() / "a.jpg", source, {.progressive = progressive});
      auto read = read_picture(folder.path() / "a.jpg");
      REQUIRE(read);
      CHECK(read->channels == channels);
      CHECK(largest_difference(*read, source) <= 6);
      read->icc_profile = small_profile(channels == 1);
      REQUIRE(write_picture(*read, folder.path() / "b.JPEG"));
      const auto again = read_picture(folder.path() / "b.JPEG");
      REQUIRE(again);
      CHECK(largest_difference(*again, *read) <= 6);
      CHECK(again->icc_profile == read->icc_profile);
    }
}

TEST_CASE("colours are not thinned out when JPEG is written") {
  // Red and blue columns in turn: with the colours of two columns in one they would be purple.
  picture source{32, 16, 3, 8, {}, {}};
  for (int i = 0; i < 32 * 16; ++i)
    for (const int sample : {i % 2 == 0 ? 255 : 0, 0, i % 2 == 0 ? 0 : 255})
      source.samples.push_back(static_cast<std::uint16_t>(sample));
  const scratch_folder folder;
  REQUIRE(write_picture(source, folder.path() / "a.jpg"));
  const auto read = read_picture(folder.path() / "a.jpg");
  REQUIRE(read);
  CHECK(largest_difference(*read, source) < 40);
}

TEST_CASE("16 bits are rounded to 8 where JPEG is written, and alpha that hides nothing is left out") {
  picture source{16, 16, 4, 16, {}, {}};
  for (int i = 0; i < 16 * 16; ++i)
    for (const int sample : {0x8080, 0x4040, 0x2020, 0xFFFF})
      source.samples.push_back(static_cast<std::uint16_t>(sample));
  const scratch_folder folder;
  REQUIRE(write_picture(source, folder.path() / "a.jpg"));
  const auto read = read_picture(folder.path() / "a.jpg");
  REQUIRE(read);
  CHECK(read->channels == 3);
  CHECK(std::abs(read->samples[0] - 0x80) <= 2);
  CHECK(std::abs(read->samples[1] - 0x40) <= 2);
  CHECK(std::abs(read->samples[2] - 0x20) <= 2);
  source.samples[3] = 0xFFFE;
  const auto refused = write_picture(source, folder.path() / "b.jpg");
  REQUIRE(!refused);
  CHECK(refused.error().code == error_code::invalid_argument);
  CHECK(folder.names() == std::vector<std::string>{"a.jpg"});
}
