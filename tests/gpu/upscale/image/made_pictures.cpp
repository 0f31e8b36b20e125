#include "made_pictures.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <png.h>
#include <random>
#include <stdexcept>
#include <sys/mount.h>

#include <jpeglib.h>

namespace ferry::upscale::test {
namespace fs = std::filesystem;

scratch_folder::scratch_folder() {
  std::string name = (fs::temp_directory_path() / "ferry-upscale-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    throw std::runtime_error("no temporary folder can be made");
  path_ = name;
}

scratch_folder::~scratch_folder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

fs::path scratch_folder::write(const std::string& name, std::string_view bytes) const {
  std::ofstream(path_ / name, std::ios::binary) << bytes;
  return path_ / name;
}

std::vector<std::string> scratch_folder::names() const {
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator(path_))
    found.push_back(entry.path().filename().string());
  std::sort(found.begin(), found.end());
  return found;
}

small_disk::small_disk(const std::string& size)
    : mounted_(::mount("ferry-test", folder_.path().c_str(), "tmpfs", 0, ("size=" + size).c_str()) == 0) {}

small_disk::~small_disk() {
  if (mounted_)
    ::umount2(folder_.path().c_str(), MNT_DETACH);
}

picture pattern(int width, int height, int channels, int bits) {
  picture made{width, height, channels, bits, {}, {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < channels; ++c)
        made.samples.push_back(static_cast<std::uint16_t>((x * 31 + y * 17 + c * 71) * (bits == 16 ? 257 : 1) & made.sample_max()));
  return made;
}

picture noise(int width, int height, int channels, int bits) {
  picture made = pattern(width, height, channels, bits);
  std::mt19937 random(1);
  for (std::uint16_t& sample : made.samples)
    sample = static_cast<std::uint16_t>(random() & static_cast<unsigned>(made.sample_max()));
  return made;
}

unsigned raw_sample(int x, int y, int channel, int depth) {
  return static_cast<unsigned>(x + 3 * y + 5 * channel) % (1U << static_cast<unsigned>(depth));
}

void write_png_form(const fs::path& file, int width, int height, const png_form& form) {
  std::FILE* out = std::fopen(file.c_str(), "wb");
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_init_io(png, out);
  png_set_IHDR(png, info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height), form.depth, form.colour_type,
               form.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  std::vector<png_color> palette;
  if (form.colour_type == PNG_COLOR_TYPE_PALETTE) {
    for (int i = 0; i < 1 << form.depth; ++i)
      palette.push_back({static_cast<png_byte>(i), static_cast<png_byte>(255 - i), static_cast<png_byte>(i * 7)});
    png_set_PLTE(png, info, palette.data(), static_cast<int>(palette.size()));
  }
  if (form.transparent_colour) {
    const std::array<png_byte, 2> alphas{255, 128};
    png_color_16 one{};
    one.red = one.green = one.blue = one.gray = 1;
    if (form.colour_type == PNG_COLOR_TYPE_PALETTE)
      png_set_tRNS(png, info, alphas.data(), 2, nullptr);
    else
      png_set_tRNS(png, info, nullptr, 0, &one);
  }
  std::array<png_byte, 26> exif{'M',  'M',  0, 42, 0, 0, 0, 8, 0, 1,
                                0x01, 0x12, 0, 3,  0, 0, 0, 1, 0, static_cast<png_byte>(form.orientation)};
  if (form.orientation != 1)
    png_set_eXIf_1(png, info, exif.size(), exif.data());
  png_write_info(png, info);
  if (form.depth < 8)
    png_set_packing(png);
  const int channels = png_get_channels(png, info);
  const int passes = png_set_interlace_handling(png);
  std::vector<png_byte> row;
  for (int pass = 0; pass < passes; ++pass)
    for (int y = 0; y < height; ++y) {
      row.clear();
      for (int x = 0; x < width; ++x)
        for (int c = 0; c < channels; ++c) {
          const unsigned sample = raw_sample(x, y, c, form.depth);
          if (form.depth == 16)
            row.push_back(static_cast<png_byte>(sample >> 8U));
          row.push_back(static_cast<png_byte>(sample & 0xFFU));
        }
      png_write_row(png, row.data());
    }
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  std::fclose(out);
}

void write_jpeg_form(const fs::path& file, const picture& source, const jpeg_form& form) {
  std::FILE* out = std::fopen(file.c_str(), "wb");
  jpeg_error_mgr errors{};
  jpeg_compress_struct codec{};
  codec.err = jpeg_std_error(&errors);
  jpeg_create_compress(&codec);
  jpeg_stdio_dest(&codec, out);
  codec.image_width = static_cast<JDIMENSION>(source.width);
  codec.image_height = static_cast<JDIMENSION>(source.height);
  codec.input_components = source.channels;
  codec.in_color_space = form.cmyk ? JCS_CMYK : source.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&codec);
  jpeg_set_quality(&codec, 98, TRUE);
  codec.comp_info[0].h_samp_factor = codec.comp_info[0].v_samp_factor = 1;
  if (form.progressive)
    jpeg_simple_progression(&codec);
  jpeg_start_compress(&codec, TRUE);
  if (form.orientation != 0) {
    const auto value = static_cast<unsigned char>(form.orientation);
    const std::vector<unsigned char> big{'E',  'x',  'i', 'f', 0, 0, 'M', 'M', 0, 42,    0, 0, 0, 8, 0, 1,
                                         0x01, 0x12, 0,   3,   0, 0, 0,   1,   0, value, 0, 0, 0, 0, 0, 0};
    const std::vector<unsigned char> little{'E',  'x',  'i', 'f', 0, 0, 'I', 'I', 42,    0, 8, 0, 0, 0, 1, 0,
                                            0x12, 0x01, 3,   0,   1, 0, 0,   0,   value, 0, 0, 0, 0, 0, 0, 0};
    const auto& exif = form.big_endian ? big : little;
    jpeg_write_marker(&codec, JPEG_APP0 + 1, exif.data(), static_cast<unsigned>(exif.size()));
  }
  std::vector<JSAMPLE> row;
  const auto samples = static_cast<std::ptrdiff_t>(source.width) * source.channels;
  for (int y = 0; y < source.height; ++y) {
    row.assign(source.samples.begin() + y * samples, source.samples.begin() + (y + 1) * samples);
    JSAMPROW rows = row.data();
    jpeg_write_scanlines(&codec, &rows, 1);
  }
  jpeg_finish_compress(&codec);
  jpeg_destroy_compress(&codec);
  std::fclose(out);
}

// The header of ICC.1:2010, a white point and a copyright.
std::vector<std::byte> small_profile(bool grey) {
  std::string bytes(128, '\0');
  const auto number = [](unsigned value) {
    std::string four;
    for (const unsigned shift : {24U, 16U, 8U, 0U})
      four += static_cast<char>(value >> shift & 0xFFU);
    return four;
  };
  const auto put = [&bytes](std::size_t at, const std::string& text) { bytes.replace(at, text.size(), text); };
  put(8, number(0x04000000));
  put(12, grey ? "mntrGRAYXYZ " : "mntrRGB XYZ ");
  put(24, std::string("\x07\xE8\0\x01\0\x01\0\0\0\0\0\0", 12));
  put(36, "acsp");
  put(68, number(0x0000F6D6) + number(0x00010000) + number(0x0000D32D));
  const std::string white = "XYZ " + number(0) + number(0x0000F6D6) + number(0x00010000) + number(0x0000D32D);
  std::string copyright = "text" + number(0);
  std::mt19937 random(7); // libpng passes over profiles that shrink to less than a hundred bytes
  for (int i = 0; i < 192; ++i)
    copyright += static_cast<char>('a' + random() % 26);
  const auto white_size = static_cast<unsigned>(white.size()), copyright_size = static_cast<unsigned>(copyright.size());
  bytes += number(2) + "wtpt" + number(156) + number(white_size) + "cprt" + number(156 + white_size) + number(copyright_size);
  bytes += white + copyright;
  put(0, number(static_cast<unsigned>(bytes.size())));
  const auto* first = reinterpret_cast<const std::byte*>(bytes.data());
  return {first, first + bytes.size()};
}

std::string bytes_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

int largest_difference(const picture& a, const picture& b) {
  if (a.width != b.width || a.height != b.height || a.channels != b.channels || a.bits != b.bits)
    throw std::runtime_error("pictures of different forms are compared");
  int largest = 0;
  for (std::size_t i = 0; i < a.samples.size(); ++i)
    largest = std::max(largest, std::abs(int{a.samples[i]} - int{b.samples[i]}));
  return largest;
}

} // namespace ferry::upscale::test
