// The shipped job type `upscale` as users meet it: the real daemon, the real ferry-upscale, real pictures and clips.
#include "tests/integration/daemon_process.hpp"

#include <fstream>
#include <sstream>

using namespace ferry;
using ferry::tests::daemon_process;
using ferry::tests::run_program;

namespace {

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// The demo's copy of the type, which a test keeps the same as the shipped one; the other shipped types want a GPU.
const std::string& shipped_types() {
  static const std::string type = [] {
    const std::string all = text_of(FERRY_DEMO_CONFIG);
    return all.substr(all.find("[job_types.upscale]"));
  }();
  return type;
}

// Makes a file of test pattern, 64 × 48, a picture or a clip by its ending.
std::filesystem::path made(const std::filesystem::path& file, const std::vector<std::string>& options) {
  std::vector<std::string> argv{
      "ffmpeg", "-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", "testsrc=size=64x48:rate=10:duration=0.5"};
  argv.insert(argv.end(), options.begin(), options.end());
  argv.push_back(file.string());
  const auto end = run_program(argv);
  INFO(end.output);
  REQUIRE(end.status == 0);
  return file;
}

// Codec, width and height as ffprobe sees them: "png,128,96".
std::string looked_at(const std::filesystem::path& file) {
  auto text = run_program({"ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "stream=codec_name,width,height",
                           "-of", "csv=p=0", file.string()})
                  .output;
  return text.substr(0, text.find('\n'));
}

bool has_ffmpeg() { return run_program({"ffmpeg", "-version"}).status == 0; }

std::filesystem::path result_of(const json& job) {
  return std::filesystem::path(job["directory"].get<std::string>()) / job["result"]["path"].get<std::string>();
}

} // namespace

TEST_CASE("a photo, the result of a job and a clip are enlarged by jobs") {
  if (!has_ffmpeg())
    SKIP("ffmpeg is not installed");
  daemon_process daemon(shipped_types());
  daemon.start();
  made(daemon.directory() / "a photo.png", {"-frames:v", "1", "-update", "1"});
  const auto upscale = [&](json params, const json& fields = json::object()) {
    params["control_weight"] = 0; // Lanczos alone: no network is needed
    json job = {{"type", "upscale"}, {"params", std::move(params)}, {"base_dir", daemon.directory().string()}};
    job.update(fields);
    return daemon.finished(daemon.post("/jobs", job)["id"]);
  };

  const json first = upscale({{"source", "a photo.png"}, {"prompt", "a test card"}});
  INFO(first.dump(2));
  REQUIRE(first["status"] == "completed");
  CHECK(first["result"]["width"] == 128);
  CHECK(first["result"]["height"] == 96);
  CHECK(first["result"]["prompt"] == "a test card");
  CHECK(first["progress"]["fraction"] == 1.0);
  CHECK(looked_at(result_of(first)) == "png,128,96");

  const json second = upscale({{"source", "job:" + first["id"].dump()}, {"scale", 3}, {"output", "large.jpg"}});
  INFO(second.dump(2));
  REQUIRE(second["status"] == "completed");
  CHECK(looked_at(result_of(second)) == "mjpeg,384,288");

  made(daemon.directory() / "clip.mp4", {"-c:v", "libx264", "-pix_fmt", "yuv420p"});
  const json clip = upscale({{"source", "clip.mp4"}});
  INFO(clip.dump(2));
  REQUIRE(clip["status"] == "completed");
  CHECK(clip["result"]["frames"] == 5);
  CHECK(looked_at(result_of(clip)) == "h264,128,96");
}

TEST_CASE("what cannot be enlarged fails for its own reason and leaves no file") {
  daemon_process daemon(shipped_types());
  daemon.start();
  std::ofstream(daemon.directory() / "text.png") << "no picture";
  std::filesystem::create_directory(daemon.directory() / "empty");
  for (const char* source : {"text.png", "missing.png", "empty"}) {
    const json job = {
        {"type", "upscale"}, {"params", {{"source", source}, {"control_weight", 0}}}, {"base_dir", daemon.directory().string()}};
    CAPTURE(source);
    const json failed = daemon.finished(daemon.post("/jobs", job)["id"]);
    CHECK(failed["status"] == "failed");
    CHECK(failed["failure"]["kind"] == "input");
    CHECK_FALSE(failed["failure"]["message"].get<std::string>().empty());
  }
}

TEST_CASE("`ferry run upscale` needs neither a daemon nor a queue") {
  if (!has_ffmpeg())
    SKIP("ffmpeg is not installed");
  const tests::scratch_directory here;
  const auto photo = made(here.path() / "photo.png", {"-frames:v", "1", "-update", "1"});
  std::ofstream(here.path() / "ferry.toml") << shipped_types();
  const auto end =
      run_program({FERRY_PROGRAM, "run", "upscale", "--config", (here.path() / "ferry.toml").string(), "--output",
                   (here.path() / "out").string(), "--param", "source=" + photo.string(), "--param", "control_weight=0"});
  INFO(end.output);
  CHECK(end.status == 0);
  CHECK(looked_at(here.path() / "out" / "upscaled.png") == "png,128,96");
}

TEST_CASE("a photo is enlarged by the network") {
  if (!has_ffmpeg())
    SKIP("ffmpeg is not installed");
  daemon_process daemon(shipped_types());
  const auto photo = made(daemon.directory() / "photo.png", {"-frames:v", "1", "-update", "1"});
  const auto alone =
      run_program({FERRY_UPSCALE_PROGRAM, "--source", photo.string(), "--output", (daemon.directory() / "alone.png").string()});
  if (alone.output.find("is not here") != std::string::npos)
    SKIP(alone.output);
  INFO(alone.output);
  REQUIRE(alone.status == 0);
  daemon.start();
  const json job = daemon.finished(daemon.post(
      "/jobs", {{"type", "upscale"}, {"params", {{"source", "photo.png"}}}, {"base_dir", daemon.directory().string()}})["id"]);
  INFO(job.dump(2));
  REQUIRE(job["status"] == "completed");
  CHECK(job["result"]["model"] == "slim");
  CHECK(text_of(result_of(job)) == text_of(daemon.directory() / "alone.png"));
  CHECK(looked_at(result_of(job)) == "png,128,96");
}

TEST_CASE("a video that was suspended goes on with the segment that it was at") {
  if (!has_ffmpeg())
    SKIP("ffmpeg is not installed");
  daemon_process daemon(shipped_types());
  daemon.start();
  const auto clip = daemon.directory() / "clip.mp4";
  REQUIRE(run_program({"ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=160x120:rate=30:duration=40", "-pix_fmt",
                       "yuv420p", clip.string()})
              .status == 0);
  const json request = {{"type", "upscale"}, {"params", {{"source", clip.string()}, {"control_weight", 0}, {"scale", 4}}}};
  const std::int64_t id = daemon.post("/jobs", request)["id"];
  const std::string path = "/jobs/" + std::to_string(id);
  const auto has_checkpoint = [&] {
    const json job = daemon.get(path);
    return std::any_of(job["history"].begin(), job["history"].end(), [](const json& e) { return e["what"] == "checkpoint_saved"; });
  };
  tests::eventually(has_checkpoint);
  daemon.post(path + "/suspend");
  tests::eventually([&] { return daemon.get(path)["held"] == true; });
  daemon.post(path + "/resume");
  const json done = daemon.finished(id);
  INFO(done.dump(2));
  REQUIRE(done["status"] == "completed");
  CHECK(done["attempts"] == 2);
  CHECK(done["result"]["frames"] == 1200);
  CHECK(done["result"]["resumed_frames"] >= 120);
}
