// A run that was ended goes on where it was, and makes the same video.
#include "clips.hpp"

#include "gpu/upscale/video/child_process.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ferry;
using namespace ferry::upscale;
using namespace ferry::upscale::test;
namespace fs = std::filesystem;

TEST_CASE("a video that was stopped goes on after its last segment, to the same frames as if it had not been") {
  if (!has_ffmpeg())
    SKIP("ffmpeg is not installed");
  const scratch_folder folder;
  // B-frames and long groups of pictures: going on must not depend on where frames can be sought.
  const auto source = make_clip(folder.path() / "a.mp4", "64x48", 40, {"-g", "250", "-bf", "3"});
  const video_request request{.source = source, .output = folder.path() / "b.mp4", .recipe = "lanczos", .segment_frames = 8};
  video_run whole;
  REQUIRE(whole(request));
  const std::string expected = frame_sums(request.output);
  fs::remove(request.output);
  for (const std::int64_t stop : {1, 8, 25, 40}) {
    INFO("stopped after " << stop << " frames");
    video_run first;
    first.stop_after = stop;
    const auto stopped = first(request);
    REQUIRE(!stopped);
    CHECK(stopped.error().code == error_code::unavailable);
    CHECK(!fs::exists(request.output));
    video_run second;
    const auto made = second(request);
    REQUIRE(made);
    const std::int64_t kept = (stop - 1) / 8 * 8;
    CHECK(made->resumed_frames == kept);
    CHECK(second.enlarged == 40 - kept);
    CHECK(made->frames == 40);
    CHECK(frame_sums(request.output) == expected);
    CHECK(folder.names() == std::vector<std::string>{"a.mp4", "b.mp4"});
    fs::remove(request.output);
  }
}

TEST_CASE("what was made of another source or in another way is not used") {
  if (!has_ffmpeg())
    SKIP("ffmpeg is not installed");
  const scratch_folder folder;
  const auto source = make_clip(folder.path() / "a.mp4", "64x48", 6);
  const video_request request{.source = source, .output = folder.path() / "b.mp4", .recipe = "slim 1.0", .segment_frames = 2};
  const auto begin = [&] {
    video_run first;
    first.stop_after = 3;
    REQUIRE(!first(request));
    REQUIRE(fs::exists(folder.path() / ".b.mp4.segments" / "manifest.json"));
  };
  const auto begins_anew = [&](const video_request& changed) {
    video_run second;
    const auto made = second(changed);
    REQUIRE(made);
    CHECK(made->resumed_frames == 0);
    REQUIRE(second.notes.size() == 1);
    CHECK(second.notes.front().find("starting anew") != std::string::npos);
    CHECK(stream_of(request.output, "video")["nb_read_frames"] == "6");
    CHECK(!fs::exists(folder.path() / ".b.mp4.segments"));
  };
  begin();
  video_request changed = request;
  changed.recipe = "medium 1.0";
  begins_anew(changed);
  begin();
  changed = request;
  changed.scale = 4;
  begins_anew(changed);
  begin();
  fs::last_write_time(source, fs::last_write_time(source) + std::chrono::seconds(2));
  begins_anew(request);
  for (const char* text : {"", "null", "{\"version\":1}"}) {
    INFO(text);
    begin();
    (void)folder.write(".b.mp4.segments/manifest.json", text);
    begins_anew(request);
  }
}

TEST_CASE("segments that are missing or cut are made again, those before them are kept") {
  if (!has_ffmpeg())
    SKIP("ffmpeg is not installed");
  const scratch_folder folder;
  const auto source = make_clip(folder.path() / "a.mp4", "64x48", 20);
  const video_request request{.source = source, .output = folder.path() / "b.mp4", .segment_frames = 4};
  for (const bool missing : {true, false}) {
    video_run first;
    first.stop_after = 17;
    REQUIRE(!first(request));
    const auto third = folder.path() / ".b.mp4.segments" / "00002.mp4";
    REQUIRE(fs::exists(third));
    if (missing)
      fs::remove(third);
    else
      fs::resize_file(third, fs::file_size(third) - 1);
    video_run second;
    const auto made = second(request);
    REQUIRE(made);
    CHECK(made->resumed_frames == 8);
    CHECK(made->frames == 20);
    CHECK(stream_of(request.output, "video")["nb_read_frames"] == "20");
  }
}

TEST_CASE("two runs do not make the same output") {
  if (!has_ffmpeg())
    SKIP("ffmpeg is not installed");
  const scratch_folder folder;
  const auto source = make_clip(folder.path() / "a.mp4", "64x48", 6);
  const video_request request{.source = source, .output = folder.path() / "b.mp4", .segment_frames = 2};
  bool refused = false;
  video_hooks hooks{
      .enlarge = [&](const std::vector<picture>& frames) -> result<std::vector<picture>> {
        video_run other;
        const auto second = other(request);
        refused = !second && second.error().code == error_code::conflict;
        std::vector<picture> made;
        for (const picture& frame : frames)
          made.push_back(pattern(frame.width * 2, frame.height * 2, 3, 8));
        return made;
      },
      .on_frames = [](std::int64_t, std::optional<std::int64_t>) { return true; },
      .note = [](const std::string&) {},
  };
  REQUIRE(enlarge_video(request, hooks));
  CHECK(refused);
}
