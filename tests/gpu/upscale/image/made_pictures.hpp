// Pictures made for tests: in memory, and as files written by libpng and libjpeg in forms that our own writer never makes.
#pragma once

#include "gpu/upscale/image/picture.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace ferry::upscale::test {

// A folder that goes when it goes.
class scratch_folder {
public:
  scratch_folder();
  ~scratch_folder();
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path write(const std::string& name, std::string_view bytes) const;
  [[nodiscard]] std::vector<std::string> names() const; // of all files in it, sorted

private:
  std::filesystem::path path_;
};

// A file system of its own of a few hundred KiB, where this process may mount one.
class small_disk {
public:
  explicit small_disk(const std::string& size);
  ~small_disk();
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;
  [[nodiscard]] bool is_mounted() const { return mounted_; }
  [[nodiscard]] const scratch_folder& folder() const { return folder_; }

private:
  scratch_folder folder_;
  bool mounted_;
};

// Samples that differ from pixel to pixel and from channel to channel.
[[nodiscard]] picture pattern(int width, int height, int channels, int bits);
// The same, without a repeating pattern: it compresses badly.
[[nodiscard]] picture noise(int width, int height, int channels, int bits);

struct png_form {
  int colour_type = 2; // PNG's: 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha
  int depth = 8;
  bool interlaced = false;
  bool transparent_colour = false; // tRNS: grey or RGB whose raw samples are all 1; of a palette: entry 1 is half transparent
  int orientation = 1;             // in an eXIf chunk
};
// Raw samples of the picture are (x + 3 y + 5 channel) modulo 2^depth.
void write_png_form(const std::filesystem::path& file, int width, int height, const png_form& form);
[[nodiscard]] unsigned raw_sample(int x, int y, int channel, int depth);

struct jpeg_form {
  int orientation = 0; // in EXIF; 0: no EXIF
  bool big_endian = false;
  bool progressive = false;
  bool cmyk = false;
};
void write_jpeg_form(const std::filesystem::path& file, const picture& source, const jpeg_form& form);

// A display profile, for RGB or grey.
[[nodiscard]] std::vector<std::byte> small_profile(bool grey);

[[nodiscard]] std::string bytes_of(const std::filesystem::path& file);

// The largest difference between samples; pictures of one form.
[[nodiscard]] int largest_difference(const picture& a, const picture& b);

} // namespace ferry::upscale::test
