#include "gpu/upscale/video/frames.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

namespace ferry::upscale {
namespace fs = std::filesystem;
namespace {

const std::string exact = ":flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp";

// swscale's name of the source's matrix. BT.601 where it says none or one that swscale does not have.
std::string matrix_of(const video_facts& facts) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 7> names{{
      {"bt709", "bt709"},
      {"fcc", "fcc"},
      {"bt470bg", "bt470"},
      {"smpte170m", "smpte170m"},
      {"smpte240m", "smpte240m"},
      {"bt2020nc", "bt2020"},
      {"bt2020c", "bt2020"},
  }};
  if (facts.is_rgb)
    return "bt709";
  for (const auto& [theirs, swscale] : names)
    if (facts.colour_space == theirs)
      return std::string(swscale);
  return "bt601";
}

bool is_full_range(const video_facts& facts) { return facts.colour_range == "pc" && !facts.is_rgb; }

std::string decoding_filter(const video_facts& facts, std::int64_t first) {
  std::string chain = "setpts=PTS-STARTPTS,fps=fps=" + facts.rate.text();
  if (first > 0)
    chain += ",trim=start_frame=" + std::to_string(first);
  chain += ",scale=" + (facts.is_rgb ? std::string("in_range=pc")
                                     : "in_color_matrix=" + matrix_of(facts) + ":in_range=" + (is_full_range(facts) ? "pc" : "tv"));
  return chain + exact + ",format=rgb24";
}

std::string encoding_filter(const video_facts& facts, const container& into, int width, int height) {
  std::string chain;
  // H.264 in 4:2:0 has no odd sizes: of a triple enlargement the last row or column may have to go.
  if (!into.is_webm && (width % 2 != 0 || height % 2 != 0))
    chain = "crop=" + std::to_string(width - width % 2) + ":" + std::to_string(height - height % 2) + ":0:0,";
  chain += "scale=out_color_matrix=" + matrix_of(facts) + ":out_range=" + (is_full_range(facts) ? "pc" : "tv") + exact +
           ",format=yuv420p";
  return chain + ",setsar=" + facts.sample_aspect.text();
}

std::vector<std::string> colour_tags(const video_facts& facts) {
  if (facts.is_rgb)
    return {"-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "iec61966-2-1", "-color_range", "tv"};
  std::vector<std::string> words{"-color_range", is_full_range(facts) ? "pc" : "tv"};
  const auto say = [&words](const char* option, const std::string& value) {
    if (!value.empty())
      words.insert(words.end(), {option, value});
  };
  if (matrix_of(facts) != "bt601") // otherwise what was said is not what was used
    say("-colorspace", facts.colour_space);
  say("-color_primaries", facts.colour_primaries);
  say("-color_trc", facts.colour_transfer);
  return words;
}

std::vector<std::string> joined(std::vector<std::vector<std::string>> lists) {
  std::vector<std::string> all;
  for (auto& list : lists)
    std::move(list.begin(), list.end(), std::back_inserter(all));
  return all;
}

} // namespace

// ---- out ----------------------------------------------------------------------------------------------------------------------

frame_reader::frame_reader(std::unique_ptr<child_process> decoder, int width, int height, std::string name)
    : decoder_(std::move(decoder)), width_(width), height_(height), name_(std::move(name)) {}

result<frame_reader> frame_reader::open(const fs::path& source, const video_facts& facts, std::int64_t first, int threads) {
  auto decoder = child_process::start({.argv = {"ffmpeg",
                                                "-nostdin",
                                                "-hide_banner",
                                                "-v",
                                                "error",
                                                "-threads",
                                                std::to_string(threads),
                                                "-i",
                                                "file:" + fs::absolute(source).string(),
                                                "-map",
                                                "0:" + std::to_string(facts.stream),
                                                "-an",
                                                "-sn",
                                                "-dn",
                                                "-vf",
                                                decoding_filter(facts, first),
                                                "-fps_mode",
                                                "passthrough",
                                                "-c:v",
                                                "ppm",
                                                "-f",
                                                "image2pipe",
                                                "pipe:1"},
                                       .is_read = true});
  if (!decoder)
    return fail(std::move(decoder.error()));
  return frame_reader(std::move(*decoder), facts.width, facts.height, source.string());
}

result<bool> frame_reader::read(picture& into) {
  // Each frame says its own size, as a PPM picture: a video that changes its size on the way does not slip through.
  const std::string expected = "P6\n" + std::to_string(width_) + " " + std::to_string(height_) + "\n255\n";
  std::array<unsigned char, 64> header{};
  const std::size_t got = decoder_->read(std::span(header).first(expected.size()));
  if (got == 0) {
    status_ = decoder_->wait();
    return false;
  }
  if (got == expected.size() && !std::equal(expected.begin(), expected.end(), header.begin())) {
    std::string_view found(reinterpret_cast<const char*>(header.data()) + 3, got - 3);
    return fail(error_code::damaged, name_ + ": a frame is " + std::string(found.substr(0, found.find('\n'))) + " pixels, not " +
                                         std::to_string(width_) + " " + std::to_string(height_) + " as the file says");
  }
  into.width = width_;
  into.height = height_;
  into.channels = 3;
  into.bits = 8;
  bytes_.resize(into.pixels() * 3);
  if (got < expected.size() || decoder_->read(bytes_) < bytes_.size()) {
    status_ = decoder_->wait();
    return fail(error_code::unavailable, name_ + ": ffmpeg ended within a frame: " + first_line(decoder_->complaints()));
  }
  into.samples.assign(bytes_.begin(), bytes_.end());
  return true;
}

std::string frame_reader::complaints() {
  const std::string all = decoder_->complaints();
  return all.empty() ? all : first_line(all);
}

// ---- in -----------------------------------------------------------------------------------------------------------------------

frame_writer::frame_writer(std::unique_ptr<child_process> encoder, std::string name)
    : encoder_(std::move(encoder)), name_(std::move(name)) {}

result<frame_writer> frame_writer::open(const fs::path& file, const video_facts& facts, const container& into, int width,
                                        int height, int threads) {
  auto argv = joined({
      {"ffmpeg", "-nostdin", "-hide_banner", "-v", "error", "-y", "-f", "rawvideo", "-pixel_format", "rgb24", "-video_size",
       std::to_string(width) + "x" + std::to_string(height), "-framerate", facts.rate.text(), "-i", "pipe:0", "-an", "-vf",
       encoding_filter(facts, into, width, height)},
      video_encoder(into),
      {"-threads", std::to_string(threads)},
      colour_tags(facts),
      // MP4 whatever the result will be: with this timescale every frame has its exact time.
      {"-video_track_timescale", std::to_string(facts.rate.numerator), "-f", "mp4", "file:" + file.string()},
  });
  auto encoder = child_process::start({.argv = std::move(argv), .is_fed = true});
  if (!encoder)
    return fail(std::move(encoder.error()));
  return frame_writer(std::move(*encoder), file.string());
}

tl::unexpected<error> frame_writer::failed() {
  (void)encoder_->wait();
  return fail(encoding_error(name_, encoder_->complaints()));
}

result<void> frame_writer::write(const picture& frame) {
  bytes_.resize(frame.samples.size());
  std::transform(frame.samples.begin(), frame.samples.end(), bytes_.begin(),
                 [](std::uint16_t sample) { return static_cast<unsigned char>(sample); });
  if (!encoder_->write(bytes_))
    return failed();
  return {};
}

result<void> frame_writer::finish() {
  encoder_->end_input();
  if (encoder_->wait() != 0)
    return failed();
  return {};
}

error encoding_error(const std::string& name, const std::string& complaints) {
  if (complaints.find("No space left on device") != std::string::npos ||
      complaints.find("Disk quota exceeded") != std::string::npos)
    return {error_code::disk_full, name + " cannot be written: No space left on device",
            "make room; the segments that are done are kept"};
  if (complaints.find("Unknown encoder") != std::string::npos)
    return {error_code::unavailable, name + " cannot be made: this ffmpeg lacks the encoder: " + first_line(complaints),
            "install an ffmpeg with libx264 and libvpx, as Debian's is"};
  return {error_code::internal, name + " cannot be made: ffmpeg says: " + first_line(complaints)};
}

} // namespace ferry::upscale
