// libjpeg leaves by longjmp where it fails. So whatever owns something lives in a frame outside, and the functions that call setjmp
// hold only what needs no destructor; each is one leg of the way, between which memory is taken in plain C++.
#include "gpu/upscale/image/jpeg_codec.hpp"

#include "config/limits.hpp"
#include "gpu/upscale/image/file_error.hpp"
#include "gpu/upscale/image/orientation.hpp"
#include "gpu/upscale/image/picture_bounds.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csetjmp>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <jpeglib.h>

#include <jerror.h>

namespace ferry::upscale {
namespace fs = std::filesystem;
namespace {

constexpr int quality = 95;
constexpr int exif_marker = JPEG_APP0 + 1, icc_marker = JPEG_APP0 + 2;
constexpr unsigned marker_bytes_max = 0xFFFF;

struct trouble {
  jpeg_error_mgr manager{}; // first: libjpeg hands a pointer to it back
  std::jmp_buf back{};
  std::array<char, JMSG_LENGTH_MAX> text{};
  int code = 0;   // of the fault that ended it
  int damage = 0; // of the first warning that says that parts of the picture are missing
  int system_error = 0;
};

trouble& trouble_of(j_common_ptr codec) { return *reinterpret_cast<trouble*>(codec->err); }

[[noreturn]] void on_error(j_common_ptr codec) {
  trouble& t = trouble_of(codec);
  t.system_error = errno;
  t.code = codec->err->msg_code;
  codec->err->format_message(codec, t.text.data());
  std::longjmp(t.back, 1);
}

// libjpeg fills what is missing with grey and goes on. A picture with holes is none.
void on_message(j_common_ptr codec, int level) {
  if (level >= 0)
    return;
  trouble& t = trouble_of(codec);
  ++codec->err->num_warnings;
  const int code = codec->err->msg_code;
  const bool holes = code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE || code == JWRN_MUST_RESYNC ||
                     code == JWRN_ARITH_BAD_CODE || code == JWRN_TOO_MUCH_DATA;
  if (!holes || t.damage != 0)
    return;
  t.damage = code;
  codec->err->format_message(codec, t.text.data());
}

void print_nothing(j_common_ptr) {}

jpeg_error_mgr* prepare(trouble& t) {
  jpeg_error_mgr* manager = jpeg_std_error(&t.manager);
  manager->error_exit = on_error;
  manager->emit_message = on_message;
  manager->output_message = print_nothing;
  return manager;
}

struct reader {
  trouble why;
  jpeg_decompress_struct codec{};
  jpeg_progress_mgr scans{};
  bool made = false;
  JOCTET* profile = nullptr; // malloc'ed by libjpeg
  unsigned profile_bytes = 0;

  reader() { codec.err = prepare(why); }
  reader(const reader&) = delete;
  reader& operator=(const reader&) = delete;
  ~reader() {
    if (made)
      jpeg_destroy_decompress(&codec);
    std::free(profile);
  }
};

// A few bytes of a progressive picture can ask for thousands of passes over all of it.
void on_progress(j_common_ptr codec) {
  const auto* decoder = reinterpret_cast<j_decompress_ptr>(codec);
  if (decoder->input_scan_number > limits::jpeg_scans_max)
    ERREXIT(codec, JERR_BAD_PROGRESSION);
}

bool read_header(reader& r, std::FILE* file) {
  if (setjmp(r.why.back) != 0)
    return false;
  jpeg_create_decompress(&r.codec);
  r.made = true;
  r.scans.progress_monitor = on_progress;
  r.codec.progress = &r.scans;
  jpeg_stdio_src(&r.codec, file);
  jpeg_save_markers(&r.codec, exif_marker, marker_bytes_max);
  jpeg_save_markers(&r.codec, icc_marker, marker_bytes_max);
  jpeg_read_header(&r.codec, TRUE);
  return true;
}

void decode(reader& r, JSAMPLE* row, std::uint16_t* samples) {
  jpeg_read_icc_profile(&r.codec, &r.profile, &r.profile_bytes);
  r.codec.out_color_space = r.codec.jpeg_color_space == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_start_decompress(&r.codec);
  const std::size_t samples_a_row = std::size_t{r.codec.output_width} * static_cast<std::size_t>(r.codec.output_components);
  while (r.codec.output_scanline < r.codec.output_height) {
    JSAMPROW rows = row;
    jpeg_read_scanlines(&r.codec, &rows, 1);
    std::copy_n(row, samples_a_row, samples);
    samples += samples_a_row;
  }
  // What follows the last row is not looked at: a missing end marker takes nothing from the picture.
}

bool read_rows(reader& r, JSAMPLE* row, std::uint16_t* samples) {
  if (setjmp(r.why.back) != 0)
    return false;
  decode(r, row, samples);
  return true;
}

int orientation_of(const reader& r) {
  static constexpr std::string_view introduction("Exif\0\0", 6);
  for (const jpeg_marker_struct* marker = r.codec.marker_list; marker != nullptr; marker = marker->next) {
    const auto bytes = std::as_bytes(std::span(marker->data, marker->data_length));
    if (marker->marker == exif_marker && bytes.size() > introduction.size() &&
        std::memcmp(bytes.data(), introduction.data(), introduction.size()) == 0)
      return orientation_in(bytes.subspan(introduction.size()));
  }
  return 1;
}

tl::unexpected<error> no_picture(const reader& r, std::FILE* file, const fs::path& name) {
  if (std::ferror(file) != 0)
    return fail(file_error(name, "cannot be read", errno));
  const int code = r.why.code != 0 ? r.why.code : r.why.damage;
  if (code == JWRN_JPEG_EOF || code == JERR_INPUT_EOF)
    return fail(error_code::damaged, name.string() + " is truncated: the JPEG ends before its picture does");
  if (code == JERR_OUT_OF_MEMORY)
    return fail(error_code::out_of_memory, name.string() + " does not fit into memory");
  return fail(error_code::damaged, name.string() + " is a damaged JPEG: " + r.why.text.data());
}

struct writer {
  trouble why;
  jpeg_compress_struct codec{};
  bool made = false;

  writer() { codec.err = prepare(why); }
  writer(const writer&) = delete;
  writer& operator=(const writer&) = delete;
  ~writer() {
    if (made)
      jpeg_destroy_compress(&codec);
  }
};

void put_row(const picture& source, int y, int colours, JSAMPLE* to) {
  const auto channels = static_cast<std::size_t>(source.channels);
  const std::uint16_t* from =
      source.samples.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(source.width) * channels;
  for (int x = 0; x < source.width; ++x, from += channels)
    for (int c = 0; c < colours; ++c) {
      const unsigned sample = from[c];
      *to++ = static_cast<JSAMPLE>(source.bits == 16 ? (sample * 255U + 32767U) / 65535U : sample);
    }
}

void encode(writer& w, const picture& source, std::FILE* file, JSAMPLE* row) {
  jpeg_create_compress(&w.codec);
  w.made = true;
  jpeg_stdio_dest(&w.codec, file);
  w.codec.image_width = static_cast<JDIMENSION>(source.width);
  w.codec.image_height = static_cast<JDIMENSION>(source.height);
  w.codec.input_components = source.is_grey() ? 1 : 3;
  w.codec.in_color_space = source.is_grey() ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&w.codec);
  jpeg_set_quality(&w.codec, quality, TRUE);
  w.codec.optimize_coding = TRUE;
  for (int c = 0; c < w.codec.num_components; ++c) // 4:4:4
    w.codec.comp_info[c].h_samp_factor = w.codec.comp_info[c].v_samp_factor = 1;
  jpeg_start_compress(&w.codec, TRUE);
  if (!source.icc_profile.empty())
    jpeg_write_icc_profile(&w.codec, reinterpret_cast<const JOCTET*>(source.icc_profile.data()),
                           static_cast<unsigned>(source.icc_profile.size()));
  for (int y = 0; y < source.height; ++y) {
    put_row(source, y, w.codec.input_components, row);
    JSAMPROW rows = row;
    jpeg_write_scanlines(&w.codec, &rows, 1);
  }
  jpeg_finish_compress(&w.codec);
}

bool write_whole(writer& w, const picture& source, std::FILE* file, JSAMPLE* row) {
  if (setjmp(w.why.back) != 0)
    return false;
  encode(w, source, file, row);
  return true;
}

} // namespace

result<picture> read_jpeg(std::FILE* file, const fs::path& name) {
  reader r;
  if (!read_header(r, file))
    return no_picture(r, file, name);
  if (auto bounded = check_source_size(r.codec.image_width, r.codec.image_height, name); !bounded)
    return fail(std::move(bounded.error()));
  if (r.codec.jpeg_color_space == JCS_CMYK || r.codec.jpeg_color_space == JCS_YCCK)
    return fail(error_code::invalid_argument,
                name.string() + " is a CMYK picture, made for printing; only grey and RGB can be enlarged",
                "convert it to RGB first, with its colour profile");
  if (r.codec.num_components != 1 && r.codec.num_components != 3)
    return fail(error_code::invalid_argument, name.string() + " has " + std::to_string(r.codec.num_components) +
                                                  " colour components; only grey and RGB can be enlarged");
  picture made;
  made.width = static_cast<int>(r.codec.image_width);
  made.height = static_cast<int>(r.codec.image_height);
  made.channels = r.codec.jpeg_color_space == JCS_GRAYSCALE ? 1 : 3;
  const std::size_t samples_a_row = static_cast<std::size_t>(made.width) * static_cast<std::size_t>(made.channels);
  made.samples.resize(samples_a_row * static_cast<std::size_t>(made.height));
  std::vector<JSAMPLE> row(samples_a_row);
  if (!read_rows(r, row.data(), made.samples.data()) || r.why.damage != 0)
    return no_picture(r, file, name);
  if (r.profile_bytes > limits::icc_profile_bytes_max)
    return fail(error_code::too_large, name.string() + " has a colour profile of " + std::to_string(r.profile_bytes) +
                                           " bytes; at most " + std::to_string(limits::icc_profile_bytes_max) + " are kept");
  if (r.profile != nullptr) {
    const auto bytes = std::as_bytes(std::span(r.profile, r.profile_bytes));
    made.icc_profile.assign(bytes.begin(), bytes.end());
  }
  return turned_upright(std::move(made), orientation_of(r));
}

result<void> write_jpeg(const picture& source, std::FILE* file, const fs::path& name) {
  if (source.width > limits::picture_side_max || source.height > limits::picture_side_max)
    return fail(error_code::too_large, name.string() + " would be " + std::to_string(source.width) + "x" +
                                           std::to_string(source.height) + " pixels; JPEG holds at most " +
                                           std::to_string(limits::picture_side_max) + " on a side");
  writer w;
  std::vector<JSAMPLE> row(static_cast<std::size_t>(source.width) * 3);
  if (write_whole(w, source, file, row.data()))
    return {};
  if (w.why.code == JERR_FILE_WRITE)
    return fail(file_error(name, "cannot be written", w.why.system_error));
  return fail(error_code::internal, name.string() + " cannot be written as JPEG: " + w.why.text.data());
}

} // namespace ferry::upscale
