// libpng leaves by longjmp where it fails. So whatever owns something lives in a frame outside, and the functions that call setjmp
// hold only what needs no destructor; each is one leg of the way, between which memory is taken in plain C++.
#include "gpu/upscale/image/png_codec.hpp"

#include "config/limits.hpp"
#include "gpu/upscale/image/file_error.hpp"
#include "gpu/upscale/image/orientation.hpp"
#include "gpu/upscale/image/picture_bounds.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <csetjmp>
#include <cstring>
#include <limits>
#include <png.h>
#include <span>
#include <vector>

namespace ferry::upscale {
namespace fs = std::filesystem;
namespace {

// An enlarged photo of 3840x2160: 0.7 s and 7.5 MB; level 6, the usual one, takes 1.7 s for 7.3 MB, level 1 0.4 s for 8.5 MB.
constexpr int compression_level = 4;

struct complaint {
  std::array<char, 200> text{};
  int system_error = 0;
};

[[noreturn]] void on_error(png_structp png, png_const_charp message) {
  auto* to = static_cast<complaint*>(png_get_error_ptr(png));
  std::strncpy(to->text.data(), message, to->text.size() - 1);
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

struct reader {
  complaint why;
  png_structp png = nullptr;
  png_infop info = nullptr;
  png_uint_32 width = 0, height = 0;
  int passes = 1;
  std::size_t row_bytes = 0;
  const png_byte* profile = nullptr;
  png_uint_32 profile_bytes = 0;
  const png_byte* exif = nullptr;
  png_uint_32 exif_bytes = 0;

  reader() : png(png_create_read_struct(PNG_LIBPNG_VER_STRING, &why, on_error, on_warning)) {
    info = png != nullptr ? png_create_info_struct(png) : nullptr;
  }
  reader(const reader&) = delete;
  reader& operator=(const reader&) = delete;
  ~reader() { png_destroy_read_struct(&png, &info, nullptr); }
};

bool read_header(reader& r, std::FILE* file) {
  if (setjmp(png_jmpbuf(r.png)) != 0)
    return false;
  // The size is judged by ours, with a better message; these bound what other chunks may take.
  png_set_user_limits(r.png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_set_chunk_malloc_max(r.png, 2 * limits::icc_profile_bytes_max);
  png_set_chunk_cache_max(r.png, 1000);
  png_set_benign_errors(r.png, 1);
  png_init_io(r.png, file);
  png_read_info(r.png, r.info);
  r.width = png_get_image_width(r.png, r.info);
  r.height = png_get_image_height(r.png, r.info);
  return true;
}

// Grey or RGB, with or without alpha, 8 or 16 bits in the host's order.
bool choose_form(reader& r) {
  if (setjmp(png_jmpbuf(r.png)) != 0)
    return false;
  png_set_expand(r.png); // palettes, depths below 8, and tRNS
  if (std::endian::native == std::endian::little)
    png_set_swap(r.png);
  r.passes = png_set_interlace_handling(r.png);
  png_read_update_info(r.png, r.info);
  r.row_bytes = png_get_rowbytes(r.png, r.info);
  return true;
}

void samples_from(const png_byte* row, std::size_t count, int bits, std::uint16_t* to) {
  if (bits == 16)
    std::memcpy(to, row, count * sizeof(std::uint16_t));
  else
    std::copy_n(row, count, to);
}

void decode(reader& r, int bits, std::size_t samples_a_row, png_byte* bytes, std::uint16_t* samples) {
  const bool whole = r.passes > 1; // each pass adds to the rows of the one before
  for (int pass = 0; pass < r.passes; ++pass)
    for (png_uint_32 y = 0; y < r.height; ++y) {
      png_byte* row = whole ? bytes + y * r.row_bytes : bytes;
      png_read_row(r.png, row, nullptr);
      if (pass + 1 == r.passes)
        samples_from(row, samples_a_row, bits, samples + y * samples_a_row);
    }
  png_read_end(r.png, r.info);
}

bool read_rows(reader& r, int bits, std::size_t samples_a_row, png_byte* bytes, std::uint16_t* samples) {
  if (setjmp(png_jmpbuf(r.png)) != 0)
    return false;
  decode(r, bits, samples_a_row, bytes, samples);
  return true;
}

bool read_metadata(reader& r) {
  if (setjmp(png_jmpbuf(r.png)) != 0)
    return false;
  png_charp name = nullptr;
  int compression = 0;
  png_bytep profile = nullptr;
  if (png_get_iCCP(r.png, r.info, &name, &compression, &profile, &r.profile_bytes) == PNG_INFO_iCCP)
    r.profile = profile;
  png_bytep exif = nullptr;
  if (png_get_eXIf_1(r.png, r.info, &r.exif_bytes, &exif) == PNG_INFO_eXIf)
    r.exif = exif;
  return true;
}

tl::unexpected<error> no_picture(const reader& r, std::FILE* file, const fs::path& name) {
  if (std::ferror(file) != 0)
    return fail(file_error(name, "cannot be read", errno));
  if (std::feof(file) != 0)
    return fail(error_code::damaged, name.string() + " is truncated: the PNG ends before its picture does");
  return fail(error_code::damaged, name.string() + " is a damaged PNG: " + r.why.text.data());
}

struct writer {
  complaint why;
  png_structp png = nullptr;
  png_infop info = nullptr;

  writer() : png(png_create_write_struct(PNG_LIBPNG_VER_STRING, &why, on_error, on_warning)) {
    info = png != nullptr ? png_create_info_struct(png) : nullptr;
  }
  writer(const writer&) = delete;
  writer& operator=(const writer&) = delete;
  ~writer() { png_destroy_write_struct(&png, &info); }
};

void put(png_structp png, png_bytep bytes, std::size_t count) {
  if (std::fwrite(bytes, 1, count, static_cast<std::FILE*>(png_get_io_ptr(png))) != count) {
    static_cast<complaint*>(png_get_error_ptr(png))->system_error = errno;
    png_error(png, "write error");
  }
}

void flush(png_structp) {}

int colour_type_of(const picture& source) {
  switch (source.channels) {
  case 1: return PNG_COLOR_TYPE_GRAY;
  case 2: return PNG_COLOR_TYPE_GRAY_ALPHA;
  case 3: return PNG_COLOR_TYPE_RGB;
  default: return PNG_COLOR_TYPE_RGB_ALPHA;
  }
}

void encode(writer& w, const picture& source, std::FILE* file, png_byte* row) {
  png_set_write_fn(w.png, file, put, flush);
  png_set_benign_errors(w.png, 1); // a profile that libpng finds wrong is left out
  png_set_compression_level(w.png, compression_level);
  png_set_IHDR(w.png, w.info, static_cast<png_uint_32>(source.width), static_cast<png_uint_32>(source.height), source.bits,
               colour_type_of(source), PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (!source.icc_profile.empty())
    png_set_iCCP(w.png, w.info, "ICC profile", PNG_COMPRESSION_TYPE_BASE,
                 reinterpret_cast<png_const_bytep>(source.icc_profile.data()), static_cast<png_uint_32>(source.icc_profile.size()));
  png_write_info(w.png, w.info);
  if (source.bits == 16 && std::endian::native == std::endian::little)
    png_set_swap(w.png);
  const std::size_t samples = static_cast<std::size_t>(source.width) * static_cast<std::size_t>(source.channels);
  for (int y = 0; y < source.height; ++y) {
    const std::uint16_t* from = source.samples.data() + static_cast<std::size_t>(y) * samples;
    if (source.bits == 16)
      std::memcpy(row, from, samples * sizeof(std::uint16_t));
    else
      std::transform(from, from + samples, row, [](std::uint16_t sample) { return static_cast<png_byte>(sample); });
    png_write_row(w.png, row);
  }
  png_write_end(w.png, w.info);
}

bool write_whole(writer& w, const picture& source, std::FILE* file, png_byte* row) {
  if (setjmp(png_jmpbuf(w.png)) != 0)
    return false;
  encode(w, source, file, row);
  return true;
}

} // namespace

result<picture> read_png(std::FILE* file, const fs::path& name) {
  reader r;
  if (r.info == nullptr)
    return fail(error_code::out_of_memory, name.string() + " cannot be read: no memory for libpng");
  if (!read_header(r, file))
    return no_picture(r, file, name);
  if (auto bounded = check_source_size(r.width, r.height, name); !bounded)
    return fail(std::move(bounded.error()));
  if (!choose_form(r))
    return no_picture(r, file, name);
  picture made;
  made.width = static_cast<int>(r.width);
  made.height = static_cast<int>(r.height);
  made.channels = png_get_channels(r.png, r.info);
  made.bits = png_get_bit_depth(r.png, r.info);
  const std::size_t samples_a_row = static_cast<std::size_t>(made.width) * static_cast<std::size_t>(made.channels);
  made.samples.resize(samples_a_row * static_cast<std::size_t>(made.height));
  std::vector<png_byte> bytes(r.passes > 1 ? r.row_bytes * r.height : r.row_bytes);
  if (!read_rows(r, made.bits, samples_a_row, bytes.data(), made.samples.data()) || !read_metadata(r))
    return no_picture(r, file, name);
  if (r.profile_bytes > limits::icc_profile_bytes_max)
    return fail(error_code::too_large, name.string() + " has a colour profile of " + std::to_string(r.profile_bytes) +
                                           " bytes; at most " + std::to_string(limits::icc_profile_bytes_max) + " are kept");
  if (r.profile != nullptr) {
    const auto* profile = reinterpret_cast<const std::byte*>(r.profile);
    made.icc_profile.assign(profile, profile + r.profile_bytes);
  }
  const int orientation = r.exif == nullptr ? 1 : orientation_in(std::as_bytes(std::span(r.exif, r.exif_bytes)));
  return turned_upright(std::move(made), orientation);
}

result<void> write_png(const picture& source, std::FILE* file, const fs::path& name) {
  writer w;
  if (w.info == nullptr)
    return fail(error_code::out_of_memory, name.string() + " cannot be written: no memory for libpng");
  std::vector<png_byte> row(static_cast<std::size_t>(source.width) * static_cast<std::size_t>(source.channels) *
                            (source.bits == 16 ? 2 : 1));
  if (write_whole(w, source, file, row.data()))
    return {};
  if (w.why.system_error != 0)
    return fail(file_error(name, "cannot be written", w.why.system_error));
  return fail(error_code::internal, name.string() + " cannot be written as PNG: " + w.why.text.data());
}

} // namespace ferry::upscale
