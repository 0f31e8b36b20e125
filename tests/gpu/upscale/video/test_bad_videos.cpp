// Sources that are no videos, or no longer, and places that nothing can be written to.
#include "clips.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>

using namespace ferry;
using namespace ferry::upscale;
using namespace ferry::upscale::test;

namespace {

error error_of(const std::filesystem::path& source, const scratch_folder& folder) {
  video_run run;
  const auto made = run({.source = source, .output = folder.path() / "output.mp4"});
  REQUIRE(!made);
  CHECK(made.error().what.find(source.string()) != std::string::npos);
  CHECK(!std::filesystem::exists(folder.path() / "output.mp4"));
  CHECK(!std::filesystem::exists(folder.path() / ".output.mp4.segments"));
  return made.error();
}

} // namespace

TEST_CASE("what is no video is refused with what it is") {
  if (!has_ffmpeg())
    SKIP("ffmpeg is not installed");
  const scratch_folder folder;
  std::string many_lines;
  for (int i = 0; i < 200; ++i)
    many_lines += "ffmpeg would draw this text as a video\n";
  CHECK(error_of(folder.path() / "missing.mp4", folder).what.find("No such file") != std::string::npos);
  CHECK(error_of(folder.write("text.mp4", "I am a text that was renamed"), folder).code == error_code::damaged);
  CHECK(error_of(folder.write("notes.txt", many_lines), folder).code == error_code::invalid_argument);
  ffmpeg({"-f", "lavfi", "-i", "sine=duration=1", (folder.path() / "sound.mp3").string()});
  const error sound = error_of(folder.path() / "sound.mp3", folder);
  CHECK(sound.code == error_code::invalid_argument);
  CHECK(sound.what.find("mp3") != std::string::npos);
  ffmpeg({"-f", "lavfi", "-i", "color=red:size=32x32", "-frames:v", "1", (folder.path() / "still.png").string()});
  ffmpeg({"-i", (folder.path() / "sound.mp3").string(), "-i", (folder.path() / "still.png").string(), "-map", "0", "-map", "1",
          "-c", "copy", "-disposition:v", "attached_pic", (folder.path() / "cover.mp3").string()});
  CHECK(error_of(folder.path() / "cover.mp3", folder).code == error_code::invalid_argument);
  ffmpeg({"-i", (folder.path() / "still.png").string(), (folder.path() / "still.bmp").string()});
  CHECK(error_of(folder.path() / "still.bmp", folder).code == error_code::invalid_argument);
  // A list of other files is no video of its own.
  CHECK(error_of(folder.write("list.ffconcat", "ffconcat version 1.0\nfile 'still.png'\n"), folder).code != error_code::internal);
}

TEST_CASE("a video without a frame is refused") {
  if (!has_ffmpeg())
    SKIP("ffmpeg is not installed");
  const scratch_folder folder;
  const auto whole = make_clip(folder.path() / "whole.mkv", "64x48", 10);
  // A header that promises a video, and nothing after it.
  ffmpeg({"-i", whole.string(), "-c", "copy", "-map", "0:v", "-frames:v", "0", "-f", "matroska",
          (folder.path() / "none.mkv").string()});
  const error why = error_of(folder.path() / "none.mkv", folder);
  CHECK((why.code == error_code::damaged || why.code == error_code::invalid_argument));
}

TEST_CASE("a truncated video gives the frames that are there, and says so") {
  if (!has_ffmpeg())
    SKIP("ffmpeg is not installed");
  const scratch_folder folder;
  const std::string bytes = bytes_of(make_clip(folder.path() / "whole.mpg", "320x240", 100, {"-b:v", "3M"}));
  const auto half = folder.write("half.mpg", std::string_view(bytes).substr(0, bytes.size() / 2));
  video_run run;
  const auto made = run({.source = half, .output = folder.path() / "b.mp4"});
  REQUIRE(made);
  CHECK(made->frames > 20);
  CHECK(made->frames < 80);
  CHECK(stream_of(folder.path() / "b.mp4", "video")["nb_read_frames"] == std::to_string(made->frames));
  // An MP4 has its index at the end: without it there is nothing to be found.
  const std::string mp4 = bytes_of(make_clip(folder.path() / "whole.mp4", "64x48", 10));
  CHECK(error_of(folder.write("half.mp4", std::string_view(mp4).substr(0, mp4.size() / 2)), folder).code == error_code::damaged);
}

TEST_CASE("a video whose middle is rubbish is finished, with a note") {
  if (!has_ffmpeg())
    SKIP("ffmpeg is not installed");
  const scratch_folder folder;
  std::string bytes = bytes_of(make_clip(folder.path() / "whole.mpg", "320x240", 50, {"-b:v", "3M"}));
  for (std::size_t i = bytes.size() / 3; i < bytes.size() / 3 + 20000; ++i)
    bytes[i] = static_cast<char>(i * 7919 >> 3U);
  video_run run;
  REQUIRE(run({.source = folder.write("damaged.mpg", bytes), .output = folder.path() / "b.mp4"}));
  REQUIRE(run.notes.size() == 1);
  CHECK(run.notes.front().find("damaged") != std::string::npos);
}

TEST_CASE("a result that is too large for a video is refused before it is begun") {
  if (!has_ffmpeg())
    SKIP("ffmpeg is not installed");
  const scratch_folder folder;
  const auto source = make_clip(folder.path() / "a.mp4", "4096x16", 1);
  video_run run;
  const auto refused = run({.source = source, .output = folder.path() / "output.mp4", .scale = 8});
  REQUIRE(!refused);
  CHECK(refused.error().code == error_code::too_large);
  CHECK(refused.error().what.find("16384") != std::string::npos);
  CHECK(run.enlarged == 0);
}

TEST_CASE("without ffmpeg the error names the package") {
  const scratch_folder folder;
  const std::string path = std::getenv("PATH");
  ::setenv("PATH", folder.path().c_str(), 1);
  video_run run;
  const auto refused = run({.source = folder.write("a.mp4", "anything"), .output = folder.path() / "b.mp4"});
  ::setenv("PATH", path.c_str(), 1);
  REQUIRE(!refused);
  CHECK(refused.error().code == error_code::not_found);
  CHECK(refused.error().hint.find("ffmpeg") != std::string::npos);
}

TEST_CASE("a disk that fills up leaves no half video under the final name") {
  if (!has_ffmpeg())
    SKIP("ffmpeg is not installed");
  const small_disk disk("300k");
  if (!disk.is_mounted())
    SKIP("this user may not mount a small file system");
  const scratch_folder folder;
  const auto source = folder.path() / "a.mkv";
  ffmpeg({"-f", "lavfi", "-i", "nullsrc=size=160x120:rate=25:duration=2,geq=random(1)*255:128:128", source.string()});
  video_run run;
  const auto refused = run({.source = source, .output = disk.folder().path() / "b.mp4", .segment_frames = 5});
  REQUIRE(!refused);
  CHECK(refused.error().code == error_code::disk_full);
  CHECK(!std::filesystem::exists(disk.folder().path() / "b.mp4"));
  // Finished segments may stay for the next run, half of one does not.
  for (const std::string& name : disk.folder().names())
    CHECK(name == ".b.mp4.segments");
  if (std::filesystem::exists(disk.folder().path() / ".b.mp4.segments"))
    for (const auto& entry : std::filesystem::directory_iterator(disk.folder().path() / ".b.mp4.segments"))
      CHECK(!entry.path().filename().string().starts_with("part-"));
}
