// Ended from outside: nothing half under the final name, and videos go on where they were.
#include "gpu/upscale/image/codec.hpp"
#include "tests/gpu/upscale/video/clips.hpp"
#include "upscale_process.hpp"

#include <catch2/catch_test_macros.hpp>
#include <csignal>
#include <filesystem>

using namespace ferry;
using namespace ferry::upscale;
using namespace ferry::upscale::test;
namespace fs = std::filesystem;

namespace {

constexpr int frames = 2500;

fs::path long_clip(const scratch_folder& folder) {
  return make_clip(folder.path() / "a.mp4", "64x48", frames, {"-preset", "ultrafast"});
}

// A worker that has finished two segments or more, and has far more to do.
void begin(worker& w, const fs::path& clip, const fs::path& folder) {
  w.say({{"type", "run"}, {"batch", 1}, {"jobs", {lanczos_job(1, clip, folder)}}});
  w.wait_for([](const json& line) { return line["type"] == "progress" && line["step"] >= 400; });
}

void check_resumes(const fs::path& clip, const fs::path& folder) {
  CHECK(!fs::exists(folder / "upscaled.mp4"));
  CHECK(fs::exists(folder / ".upscaled.mp4.segments" / "manifest.json"));
  worker w;
  w.say({{"type", "run"}, {"batch", 2}, {"jobs", {lanczos_job(1, clip, folder)}}});
  const json result = w.wait_for_type("done", 1)["result"];
  CHECK(result["frames"] == frames);
  CHECK(result["resumed_frames"] >= 120);
  CHECK(result["resumed_frames"] < frames);
  CHECK(of_type(w.heard(), "progress", 1).front()["step"] == result["resumed_frames"]);
  CHECK(stream_of(folder / "upscaled.mp4", "video")["nb_read_frames"] == std::to_string(frames));
  CHECK(!fs::exists(folder / ".upscaled.mp4.segments"));
  w.end_input();
  CHECK(w.wait() == 0);
}

} // namespace

TEST_CASE("a video goes on after kill -9, and has all of its frames") {
  if (!has_ffmpeg())
    SKIP("ffmpeg is not installed");
  const scratch_folder folder;
  const auto clip = long_clip(folder), made = folder.path() / "made";
  {
    worker w;
    begin(w, clip, made);
    w.signal(SIGKILL);
    CHECK(w.wait() == 128 + SIGKILL);
  }
  check_resumes(clip, made);
}

TEST_CASE("SIGTERM stops at the next frame with status 143, and keeps what is done") {
  if (!has_ffmpeg())
    SKIP("ffmpeg is not installed");
  const scratch_folder folder;
  const auto clip = long_clip(folder), made = folder.path() / "made";
  {
    worker w;
    begin(w, clip, made);
    w.signal(SIGTERM);
    CHECK(w.wait() == 143);
    CHECK(of_type(w.heard(), "done").empty());
    CHECK(of_type(w.heard(), "failed").empty());
    for (const auto& entry : fs::directory_iterator(made / ".upscaled.mp4.segments"))
      CHECK(!entry.path().filename().string().starts_with("part-"));
  }
  check_resumes(clip, made);
}

TEST_CASE("a worker that waits ends at once on SIGTERM and SIGINT") {
  for (const int signal : {SIGTERM, SIGINT}) {
    worker w;
    w.wait_for_type("ready");
    w.signal(signal);
    CHECK(w.wait() == 128 + signal);
  }
}

TEST_CASE("SIGTERM while a folder is enlarged leaves whole pictures and nothing else") {
  const scratch_folder folder;
  const auto photos = folder.path() / "photos", made = folder.path() / "made";
  fs::create_directory(photos);
  for (int i = 0; i < 300; ++i)
    REQUIRE(write_picture(noise(64, 64, 3, 8), photos / (std::to_string(i) + ".png")));
  worker w;
  w.say({{"type", "run"}, {"batch", 1}, {"jobs", {lanczos_job(1, photos, made, {{"scale", 8}})}}});
  w.wait_for_type("artifact", 1);
  w.signal(SIGTERM);
  CHECK(w.wait() == 143);
  int pictures = 0;
  for (const auto& entry : fs::directory_iterator(made / "upscaled")) {
    CHECK(read_picture(entry.path()));
    ++pictures;
  }
  CHECK(pictures >= 1);
  CHECK(pictures < 300);
}
