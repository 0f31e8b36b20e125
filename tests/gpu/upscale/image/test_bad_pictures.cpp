// Files that are no pictures, or no longer: each gets a clear error that names it, and none takes memory first.
#include "gpu/upscale/image/codec.hpp"
#include "made_pictures.hpp"

#include <catch2/catch_test_macros.hpp>
#include <sys/stat.h>

using namespace ferry;
using namespace ferry::upscale;
using namespace ferry::upscale::test;

namespace {

error error_of(const std::filesystem::path& file) {
  const auto read = read_picture(file);
  REQUIRE(!read);
  CHECK(read.error().what.find(file.string()) != std::string::npos);
  return read.error();
}

// A PNG's beginning that promises a picture of this size; its check sum is right.
std::string png_header(unsigned width, unsigned height) {
  const auto number = [](unsigned value) {
    std::string four;
    for (const unsigned shift : {24U, 16U, 8U, 0U})
      four += static_cast<char>(value >> shift & 0xFFU);
    return four;
  };
  const std::string chunk = "IHDR" + number(width) + number(height) + std::string("\x08\x02\0\0\0", 5);
  unsigned sum = ~0U;
  for (const char c : chunk) {
    sum ^= static_cast<unsigned char>(c);
    for (int i = 0; i < 8; ++i)
      sum = (sum & 1U) != 0 ? sum >> 1U ^ 0xEDB88320U : sum >> 1U;
  }
  return std::string("\x89PNG\r\n\x1A\n", 8) + number(13) + chunk + number(~sum) + number(0) + "IDAT";
}

} // namespace

TEST_CASE("what is no picture is refused by name") {
  const scratch_folder folder;
  CHECK(error_of(folder.path() / "missing.png").code == error_code::not_found);
  CHECK(error_of(folder.write("empty.png", "")).what.find("0 bytes") != std::string::npos);
  CHECK(error_of(folder.write("text.png", "I am a text that was renamed")).code == error_code::invalid_argument);
  CHECK(error_of(folder.write("tiny.jpg", "\xFF")).code == error_code::invalid_argument);
  CHECK(error_of(folder.write("two.jpg", "\xFF\xD8")).code == error_code::invalid_argument);
  CHECK(error_of(folder.write("begin.jpg", "\xFF\xD8\xFF")).code == error_code::damaged);
  CHECK(error_of(folder.write("begin.png", std::string("\x89PNG\r\n\x1A\n", 8))).code == error_code::damaged);
  CHECK(error_of(folder.write("gif.png", "GIF89a....")).code == error_code::invalid_argument);
  CHECK(error_of(folder.write("zeros.png", std::string(1000, '\0'))).code == error_code::invalid_argument);
  CHECK(error_of(folder.path()).code == error_code::invalid_argument);
  CHECK(error_of("/dev/zero").code == error_code::invalid_argument);
  REQUIRE(::mkfifo((folder.path() / "pipe.png").c_str(), 0600) == 0);
  CHECK(error_of(folder.path() / "pipe.png").code == error_code::invalid_argument);
}

TEST_CASE("a picture cut off anywhere is an error, never half a picture") {
  const scratch_folder folder;
  REQUIRE(write_picture(noise(40, 30, 3, 8), folder.path() / "whole.png"));
  write_jpeg_form(folder.path() / "whole.jpg", noise(40, 30, 3, 8), {});
  write_jpeg_form(folder.path() / "whole_progressive.jpg", noise(40, 30, 3, 8), {.progressive = true});
  for (const char* name : {"whole.png", "whole.jpg", "whole_progressive.jpg"}) {
    const std::string bytes = bytes_of(folder.path() / name);
    REQUIRE(read_picture(folder.path() / name));
    // All but the JPEG's end marker, which takes no pixel with it.
    for (std::size_t length = 8; length < bytes.size() - 16; length += 1 + bytes.size() / 97) {
      INFO(name << " cut to " << length << " of " << bytes.size() << " bytes");
      CHECK(error_of(folder.write("cut", std::string_view(bytes).substr(0, length))).code == error_code::damaged);
    }
  }
}

TEST_CASE("a picture with any byte changed is read or refused, and never more than that") {
  const scratch_folder folder;
  REQUIRE(write_picture(pattern(20, 20, 4, 16), folder.path() / "whole.png"));
  write_jpeg_form(folder.path() / "whole.jpg", pattern(20, 20, 3, 8), {.orientation = 6});
  int refused = 0;
  for (const char* name : {"whole.png", "whole.jpg"}) {
    const std::string bytes = bytes_of(folder.path() / name);
    for (std::size_t at = 0; at < bytes.size(); ++at)
      for (const char value : {'\0', '\xFF', static_cast<char>(bytes[at] ^ 1)}) {
        std::string changed = bytes;
        changed[at] = value;
        const auto read = read_picture(folder.write("changed", changed));
        refused += read ? 0 : 1;
        if (read)
          CHECK(read->samples.size() == read->pixels() * static_cast<std::size_t>(read->channels));
      }
  }
  CHECK(refused > 100);
}

TEST_CASE("a size beyond the bounds is refused before memory is taken for it") {
  const scratch_folder folder;
  const error wide = error_of(folder.write("wide.png", png_header(100'000, 10)));
  CHECK(wide.code == error_code::too_large);
  CHECK(wide.what.find("100000x10") != std::string::npos);
  CHECK(wide.what.find("65500") != std::string::npos);
  CHECK(error_of(folder.write("tall.png", png_header(10, 2'000'000'000))).code == error_code::too_large);
  CHECK(error_of(folder.write("both.png", png_header(65'000, 65'000))).code == error_code::too_large);
  CHECK(error_of(folder.write("none.png", png_header(0, 10))).code == error_code::damaged);
  CHECK(error_of(folder.write("flat.png", png_header(10, 0))).code == error_code::damaged);
}

TEST_CASE("a picture made for printing is refused") {
  const scratch_folder folder;
  write_jpeg_form(folder.path() / "cmyk.jpg", pattern(16, 16, 4, 8), {.cmyk = true});
  const error why = error_of(folder.path() / "cmyk.jpg");
  CHECK(why.code == error_code::invalid_argument);
  CHECK(why.what.find("CMYK") != std::string::npos);
}

TEST_CASE("a PNG named as JPEG, and the other way round, is read for what it is") {
  const scratch_folder folder;
  REQUIRE(write_picture(pattern(9, 9, 3, 8), folder.path() / "a.png"));
  std::filesystem::rename(folder.path() / "a.png", folder.path() / "a.jpg");
  CHECK(read_picture(folder.path() / "a.jpg"));
  REQUIRE(write_picture(pattern(9, 9, 3, 8), folder.path() / "b.jpg"));
  std::filesystem::rename(folder.path() / "b.jpg", folder.path() / "b.png");
  CHECK(read_picture(folder.path() / "b.png"));
}
