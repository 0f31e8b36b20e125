// Whole videos: frames, times, colours, sound.
#include "clips.hpp"

#include "gpu/upscale/image/blend.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>

using namespace ferry;
using namespace ferry::upscale;
using namespace ferry::upscale::test;
using Catch::Matchers::WithinAbs;

#define NEEDS_FFMPEG()                                                                                                             \
  if (!has_ffmpeg())                                                                                                               \
  SKIP("ffmpeg is not installed")

namespace {

double mean_difference(const picture& a, const picture& b) {
  REQUIRE(a.samples.size() == b.samples.size());
  double sum = 0;
  for (std::size_t i = 0; i < a.samples.size(); ++i)
    sum += std::abs(int{a.samples[i]} - int{b.samples[i]});
  return sum / static_cast<double>(a.samples.size());
}

} // namespace

TEST_CASE("a video keeps its frames, rate, sound and length in every container") {
  NEEDS_FFMPEG();
  const scratch_folder folder;
  const auto source = make_clip(folder.path() / "a clip, with: an odd name.mp4", "64x48", 30);
  for (const char* name : {"b.mp4", "b.mkv", "b.mov", "b.webm"}) {
    INFO(name);
    video_run run;
    const auto output = folder.path() / name;
    const auto made = run({.source = source, .output = output, .segment_frames = 12, .frames_at_once = 5});
    REQUIRE(made);
    CHECK(made->width == 128);
    CHECK(made->height == 96);
    CHECK(made->frames == 30);
    CHECK(made->resumed_frames == 0);
    CHECK(run.enlarged == 30);
    CHECK(run.frames_seen == 30);
    const json video = stream_of(output, "video"), sound = stream_of(output, "audio");
    const bool is_webm = std::string(name).ends_with(".webm");
    CHECK(video["codec_name"] == (is_webm ? "vp9" : "h264"));
    CHECK(video["width"] == 128);
    CHECK(video["nb_read_frames"] == "30");
    CHECK(video["r_frame_rate"] == "25/1");
    CHECK(sound["codec_name"] == (is_webm ? "opus" : "aac"));
    CHECK(run.notes.size() == (is_webm ? 1U : 0U)); // sound was encoded anew
    const auto times = frame_times(output);
    REQUIRE(times.size() == 30);
    for (std::size_t i = 0; i < times.size(); ++i)
      CHECK_THAT(times[i] - times[0], WithinAbs(static_cast<double>(i) / 25, 0.0011)); // Matroska counts milliseconds
    // Nothing but the two files is left.
    CHECK(folder.names().size() == 2);
    std::filesystem::remove(output);
  }
}

TEST_CASE("a broadcast rate stays exact over many segments") {
  NEEDS_FFMPEG();
  const scratch_folder folder;
  ffmpeg({"-f", "lavfi", "-i", "testsrc=size=32x32:rate=30000/1001:duration=3", "-pix_fmt", "yuv420p",
          (folder.path() / "a.mp4").string()});
  video_run run;
  const auto output = folder.path() / "b.mp4";
  const auto made = run({.source = folder.path() / "a.mp4", .output = output, .segment_frames = 7});
  REQUIRE(made);
  const auto before = frame_times(folder.path() / "a.mp4"), after = frame_times(output);
  REQUIRE(before.size() == after.size());
  for (std::size_t i = 0; i < before.size(); ++i)
    CHECK_THAT(after[i], WithinAbs(before[i], 0.0001));
  CHECK(stream_of(output, "video")["r_frame_rate"] == "30000/1001");
}

TEST_CASE("colours do not shift, whatever the source says of its matrix and range") {
  NEEDS_FFMPEG();
  const scratch_folder folder;
  // Blurred, so that what is lost at the edges of colours does not hide a shift.
  const std::string blur = "gblur=sigma=5,";
  const std::vector<std::vector<std::string>> forms{
      {"-vf", blur + "format=yuv420p"},
      {"-vf", blur + "scale=out_color_matrix=bt709", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"},
      {"-vf", blur + "scale=out_color_matrix=smpte170m", "-colorspace", "smpte170m", "-color_primaries", "smpte170m", "-color_trc",
       "smpte170m"},
      {"-vf", blur + "scale=out_color_matrix=bt709:out_range=pc", "-colorspace", "bt709", "-color_range", "pc"},
  };
  for (std::size_t i = 0; i < forms.size(); ++i) {
    INFO("form " << i);
    auto options = forms[i];
    options.insert(options.end(), {"-crf", "4"});
    const auto source = make_clip(folder.path() / "a.mp4", "128x96", 3, options), output = folder.path() / "b.mp4";
    video_run run;
    REQUIRE(run({.source = source, .output = output}));
    const json before = stream_of(source, "video"), after = stream_of(output, "video");
    for (const char* tag : {"color_space", "color_primaries", "color_transfer"})
      CHECK(before.value(tag, "unknown") == after.value(tag, "unknown"));
    CHECK((before.value("color_range", "tv") == "pc") == (after.value("color_range", "tv") == "pc"));
    // Enlarged, with the same hands, from a frame that ffmpeg has decoded.
    const picture expected = blend(frame_of(source, 1, folder), 2, 0, {});
    // Half the resolution of colour and the encoder cost 1.2 to 1.4 grey levels here; a wrong matrix makes 7.8 of it.
    CHECK(mean_difference(frame_of(output, 1, folder), expected) < 2.5);
  }
}

TEST_CASE("a video filmed sideways is turned upright once, and pixels keep their shape") {
  NEEDS_FFMPEG();
  const scratch_folder folder;
  const auto flat = make_clip(folder.path() / "flat.mp4", "64x48", 4, {"-vf", "gblur=sigma=3,setsar=4/3"});
  const auto source = folder.path() / "turned.mp4", output = folder.path() / "b.mp4";
  ffmpeg({"-i", flat.string(), "-c", "copy", "-metadata:s:v:0", "rotate=90", source.string()});
  if (stream_of(source, "video").value("side_data_list", json::array()).empty()) // ffmpeg 6 and later
    ffmpeg({"-display_rotation", "90", "-i", flat.string(), "-c", "copy", source.string()});
  video_run run;
  const auto made = run({.source = source, .output = output});
  REQUIRE(made);
  CHECK(made->width == 96);
  CHECK(made->height == 128);
  const json video = stream_of(output, "video");
  CHECK(video["width"] == 96);
  CHECK(video["sample_aspect_ratio"] == "3:4");
  CHECK(video.value("side_data_list", json::array()).empty());
  CHECK(mean_difference(frame_of(output, 0, folder), blend(frame_of(source, 0, folder), 2, 0, {})) < 5);
}

TEST_CASE("frames that come unevenly keep their moments, and sound its length") {
  NEEDS_FFMPEG();
  const scratch_folder folder;
  // 50 frames of which every fifth, seventh and some more are missing.
  const auto source =
      make_clip(folder.path() / "a.mkv", "48x32", 50,
                {"-vf", "select=not(eq(mod(n\\,5)\\,2))*not(eq(mod(n\\,7)\\,3))*not(between(n\\,20\\,30))", "-fps_mode", "vfr"});
  video_run run;
  const auto output = folder.path() / "b.mp4";
  const auto made = run({.source = source, .output = output, .segment_frames = 9});
  REQUIRE(made);
  const double before = frame_times(source).back(), after = frame_times(output).back();
  CHECK_THAT(after, WithinAbs(before, 0.1));
  CHECK_THAT(std::stod(probed(output)["format"]["duration"].get<std::string>()), WithinAbs(2.0, 0.15));
}

TEST_CASE("a video that begins after its sound still does") {
  NEEDS_FFMPEG();
  const scratch_folder folder;
  const auto clip = make_clip(folder.path() / "clip.mkv", "48x32", 25), source = folder.path() / "late.mkv",
             output = folder.path() / "b.mkv";
  ffmpeg(
      {"-itsoffset", "0.5", "-i", clip.string(), "-i", clip.string(), "-map", "0:v", "-map", "1:a", "-c", "copy", source.string()});
  video_run run;
  REQUIRE(run({.source = source, .output = output}));
  const auto begin = [](const std::filesystem::path& file, const char* kind) {
    return std::stod(stream_of(file, kind)["start_time"].get<std::string>());
  };
  CHECK_THAT(begin(output, "video") - begin(output, "audio"), WithinAbs(begin(source, "video") - begin(source, "audio"), 0.03));
  CHECK(frame_times(output).size() == 25);
}

TEST_CASE("an odd size enlarged three times is made even for H.264, and left alone for VP9") {
  NEEDS_FFMPEG();
  const scratch_folder folder;
  const auto source = make_clip(folder.path() / "a.mkv", "33x21", 3, {"-c:v", "ffv1", "-pix_fmt", "yuv444p"});
  video_run run;
  const auto h264 = run({.source = source, .output = folder.path() / "b.mp4", .scale = 3});
  REQUIRE(h264);
  CHECK(h264->width == 98);
  CHECK(h264->height == 62);
  CHECK(stream_of(folder.path() / "b.mp4", "video")["width"] == 98);
  const auto vp9 = run({.source = source, .output = folder.path() / "b.webm", .scale = 3});
  REQUIRE(vp9);
  CHECK(vp9->width == 99);
  CHECK(stream_of(folder.path() / "b.webm", "video")["height"] == 63);
}
