// PNG: every colour type and depth, palettes, transparency by colour, interlacing, profiles.
#include "gpu/upscale/image/codec.hpp"
#include "made_pictures.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace ferry;
using namespace ferry::upscale;
using namespace ferry::upscale::test;

namespace {

// What a raw sample is to be in the picture: depths below 8 are stretched to 8.
unsigned stretched(unsigned raw, int depth) { return depth < 8 ? raw * 255 / ((1U << static_cast<unsigned>(depth)) - 1) : raw; }

struct kind {
  int colour_type;
  int depth;
};
const std::vector<kind> kinds{{0, 1}, {0, 2}, {0, 4}, {0, 8}, {0, 16}, {2, 8}, {2, 16}, {3, 1},
                              {3, 2}, {3, 4}, {3, 8}, {4, 8}, {4, 16}, {6, 8}, {6, 16}};

int channels_of(int colour_type) { return colour_type == 0 ? 1 : colour_type == 4 ? 2 : colour_type == 6 ? 4 : 3; }

void check_samples(const picture& read, const png_form& form) {
  const int opaque = read.sample_max();
  for (int y = 0; y < read.height; ++y)
    for (int x = 0; x < read.width; ++x) {
      const auto pixel = (static_cast<std::size_t>(y) * static_cast<std::size_t>(read.width) + static_cast<std::size_t>(x)) *
                         static_cast<std::size_t>(read.channels);
      const unsigned raw = raw_sample(x, y, 0, form.depth);
      bool is_named = true; // by tRNS
      for (int c = 0; c < channels_of(form.colour_type); ++c) {
        const unsigned own = raw_sample(x, y, c, form.depth);
        is_named &= own == 1;
        const unsigned colours[] = {raw, 255 - raw, raw * 7 & 0xFFU};
        const unsigned expected = form.colour_type == 3 ? colours[c] : stretched(own, form.depth);
        REQUIRE(read.samples[pixel + static_cast<std::size_t>(c)] == expected);
      }
      if (form.transparent_colour)
        REQUIRE(read.samples[pixel + static_cast<std::size_t>(read.channels) - 1] == (form.colour_type == 3 ? (raw == 1 ? 128 : 255)
                                                                                      : is_named            ? 0
                                                                                                            : opaque));
    }
}

} // namespace

TEST_CASE("PNG of every colour type and depth is read as it was written, interlaced or not") {
  const scratch_folder folder;
  const auto file = folder.path() / "a.png";
  for (const kind& k : kinds)
    for (const bool interlaced : {false, true}) {
      const png_form form{.colour_type = k.colour_type, .depth = k.depth, .interlaced = interlaced};
      INFO("colour type " << k.colour_type << ", depth " << k.depth << (interlaced ? ", interlaced" : ""));
      write_png_form(file, 37, 23, form);
      const auto read = read_picture(file);
      REQUIRE(read);
      CHECK(read->width == 37);
      CHECK(read->height == 23);
      CHECK(read->channels == channels_of(k.colour_type));
      CHECK(read->bits == (k.depth == 16 ? 16 : 8));
      check_samples(*read, form);
    }
}

TEST_CASE("a transparent colour or palette entry of a PNG becomes alpha") {
  const scratch_folder folder;
  const auto file = folder.path() / "a.png";
  for (const kind& k : kinds) {
    if (k.colour_type >= 4)
      continue; // has alpha of its own
    const png_form form{.colour_type = k.colour_type, .depth = k.depth, .transparent_colour = true};
    INFO("colour type " << k.colour_type << ", depth " << k.depth);
    write_png_form(file, 19, 31, form);
    const auto read = read_picture(file);
    REQUIRE(read);
    CHECK(read->channels == channels_of(k.colour_type) + 1);
    check_samples(*read, form);
  }
}

TEST_CASE("what is written as PNG is read again unchanged, with its profile") {
  const scratch_folder folder;
  const auto file = folder.path() / "a.png";
  for (const int bits : {8, 16})
    for (const int channels : {1, 2, 3, 4}) {
      INFO(channels << " channels, " << bits << " bits");
      picture source = noise(29, 13, channels, bits);
      source.icc_profile = small_profile(channels <= 2);
      REQUIRE(write_picture(source, file));
      const auto read = read_picture(file);
      REQUIRE(read);
      CHECK(read->channels == channels);
      CHECK(read->bits == bits);
      CHECK(read->samples == source.samples);
      CHECK(read->icc_profile == source.icc_profile);
    }
}

TEST_CASE("a PNG with EXIF is turned upright") {
  const scratch_folder folder;
  const auto file = folder.path() / "a.png";
  write_png_form(file, 5, 3, {.colour_type = 0, .orientation = 6});
  const auto read = read_picture(file);
  REQUIRE(read);
  CHECK(read->width == 3);
  CHECK(read->height == 5);
  CHECK(read->samples.front() == raw_sample(0, 2, 0, 8)); // row 0 is on the right, column 0 at the top
}

TEST_CASE("a profile that does not fit the picture is left out, not the picture") {
  const scratch_folder folder;
  picture source = pattern(4, 4, 3, 8);
  source.icc_profile.assign(200, std::byte{7});
  REQUIRE(write_picture(source, folder.path() / "a.png"));
  const auto read = read_picture(folder.path() / "a.png");
  REQUIRE(read);
  CHECK(read->samples == source.samples);
  CHECK(read->icc_profile.empty());
}
