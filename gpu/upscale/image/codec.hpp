// Pictures from and to files. Reads PNG (every colour type, depth, interlacing) and baseline or progressive JPEG (grey, RGB,
// YCbCr), told apart by content, not by name. What is read is upright: EXIF's orientation is applied, and not written again. The
// ICC profile is kept; other metadata is not. Palettes become RGB, tRNS becomes alpha, depths below 8 become 8, 16 stays 16.
#pragma once

#include "gpu/upscale/image/picture.hpp"
#include "model/error.hpp"

#include <filesystem>

namespace ferry::upscale {

enum class picture_format { png, jpeg };

// By its first bytes; empty result: neither. Errors: as file_error() says; not a regular file: invalid_argument.
struct sniffed {
  bool is_picture = false;
  picture_format format = picture_format::png;
};
[[nodiscard]] result<sniffed> sniff_picture(const std::filesystem::path& file);

// Width, height and pixels are checked against config/limits.hpp before memory is taken. Errors name the file: not_found;
// invalid_argument (no PNG or JPEG, CMYK, may not be read), damaged (truncated or broken), too_large, out_of_memory, io.
[[nodiscard]] result<picture> read_picture(const std::filesystem::path& file);

// The format by the file's ending: .png, .jpg, .jpeg (any case). Errors: invalid_argument naming the endings there are.
[[nodiscard]] result<picture_format> format_for(const std::filesystem::path& file);

// Atomic: the file is there whole under its name, or not at all. JPEG: quality 95, 4:4:4, 16 bits are rounded to 8; a picture that
// is somewhere transparent is refused (invalid_argument). Errors: disk_full, io, invalid_argument, too_large.
[[nodiscard]] result<void> write_picture(const picture& source, const std::filesystem::path& file);

} // namespace ferry::upscale
