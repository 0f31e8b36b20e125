// What goes along with a video: sound, subtitles, chapters.
#include "clips.hpp"

#include "gpu/upscale/video/container.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ferry;
using namespace ferry::upscale;
using namespace ferry::upscale::test;

TEST_CASE("sound, subtitles and chapters go along, encoded anew only where the container cannot hold them") {
  if (!has_ffmpeg())
    SKIP("ffmpeg is not installed");
  const scratch_folder folder;
  const auto words = folder.write("a.srt", "1\n00:00:00,100 --> 00:00:00,900\nHello\n");
  const auto chapters =
      folder.write("chapters.txt", ";FFMETADATA1\ntitle=The title\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle=One\n");
  const auto clip = make_clip(folder.path() / "clip.mkv", "48x32", 25, {"-c:a", "pcm_s16le"});
  const auto source = folder.path() / "a.mkv";
  ffmpeg({"-i", clip.string(), "-i", words.string(), "-i", chapters.string(), "-map", "0", "-map", "0:a", "-map", "1",
          "-map_metadata", "2", "-c", "copy", "-c:s", "srt", source.string()});
  struct expected {
    const char* name;
    const char* sound;
    const char* words;
    std::size_t notes;
  };
  for (const expected& e : {expected{"b.mkv", "pcm_s16le", "subrip", 0},
                            {"b.mp4", "aac", "mov_text", 2},
                            {"b.mov", "pcm_s16le", "mov_text", 0},
                            {"b.webm", "opus", "webvtt", 2}}) {
    INFO(e.name);
    video_run run;
    const auto output = folder.path() / e.name;
    REQUIRE(run({.source = source, .output = output}));
    CHECK(run.notes.size() == e.notes); // one for each sound track that is encoded anew
    const json all = probed(output);
    int tracks = 0;
    for (const json& stream : all["streams"])
      tracks += stream["codec_type"] == "audio" && stream["codec_name"] == e.sound ? 1 : 0;
    CHECK(tracks == 2);
    CHECK(stream_of(output, "subtitle")["codec_name"] == e.words);
    CHECK(all["format"]["tags"]["title"] == "The title");
    CHECK(all["chapters"].size() == 1);
  }
}

TEST_CASE("a video without sound has none afterwards") {
  if (!has_ffmpeg())
    SKIP("ffmpeg is not installed");
  const scratch_folder folder;
  const auto source = make_clip(folder.path() / "a.mp4", "48x32", 5, {"-an"});
  video_run run;
  REQUIRE(run({.source = source, .output = folder.path() / "b.mp4"}));
  CHECK(probed(folder.path() / "b.mp4")["streams"].size() == 1);
}

TEST_CASE("containers are told by the ending of the output") {
  CHECK(container_for("a.MP4")->muxer == "mp4");
  CHECK(container_for("a.m4v")->muxer == "mp4");
  CHECK(container_for("a.mov")->muxer == "mov");
  CHECK(container_for("a.mkv")->muxer == "matroska");
  CHECK(container_for("a.webm")->is_webm);
  for (const char* name : {"a.avi", "a.png", "a", "a.mp4.bak"}) {
    const auto refused = container_for(name);
    REQUIRE(!refused);
    CHECK(refused.error().code == error_code::invalid_argument);
    CHECK(refused.error().what.find(".mkv") != std::string::npos);
  }
}
