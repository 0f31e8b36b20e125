// Conversations with a worker, through its pipes.
#include "gpu/upscale/image/codec.hpp"
#include "gpu/upscale/network/load.hpp"
#include "tests/gpu/upscale/video/clips.hpp"
#include "upscale_process.hpp"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>

using namespace ferry;
using namespace ferry::upscale;
using namespace ferry::upscale::test;
namespace fs = std::filesystem;

namespace {

json run_line(int batch, std::vector<json> jobs) { return {{"type", "run"}, {"batch", batch}, {"jobs", std::move(jobs)}}; }

} // namespace

TEST_CASE("a worker says it is ready, runs batch after batch, and ends when it is told to stop") {
  const scratch_folder folder;
  REQUIRE(write_picture(pattern(10, 6, 3, 8), folder.path() / "a.png"));
  worker w;
  CHECK(w.wait_for([](const json&) { return true; }) == json{{"type", "ready"}});
  w.say(run_line(1, {lanczos_job(11, folder.path() / "a.png", folder.path() / "11"),
                     lanczos_job(12, folder.path() / "missing.png", folder.path() / "12")}));
  const json done = w.wait_for_type("done", 11);
  CHECK(done["result"]["width"] == 20);
  CHECK(w.wait_for_type("failed", 12)["kind"] == "input");
  w.say(run_line(2, {lanczos_job(13, folder.path() / "a.png", folder.path() / "13", {{"scale", 8}})}));
  CHECK(w.wait_for_type("done", 13)["result"]["width"] == 80);
  CHECK(read_picture(folder.path() / "13" / "upscaled.png")->width == 80);
  CHECK(of_type(w.heard(), "artifact", 13).size() == 1);
  w.say({{"type", "stop"}});
  CHECK(w.wait() == 0);
  CHECK(of_type(w.heard(), "ready").size() == 1);
}

TEST_CASE("the end of the input is a stop: what was given before is finished") {
  const scratch_folder folder;
  REQUIRE(write_picture(pattern(10, 6, 3, 8), folder.path() / "a.png"));
  worker w;
  for (const int id : {1, 2, 3})
    w.say(run_line(id, {lanczos_job(id, folder.path() / "a.png", folder.path() / std::to_string(id))}));
  w.end_input();
  CHECK(w.wait() == 0);
  CHECK(of_type(w.heard(), "done").size() == 3);
  worker idle;
  idle.end_input();
  CHECK(idle.wait() == 0);
}

TEST_CASE("what cannot be understood is answered with a log line, and stops nothing") {
  const scratch_folder folder;
  REQUIRE(write_picture(pattern(10, 6, 3, 8), folder.path() / "a.png"));
  worker w;
  w.wait_for_type("ready");
  for (const char* line : {"hello", "{", "[1,2]", "null", "5", "\"run\"", R"({"type":5})", R"({"type":"dance"})",
                           R"({"type":"run"})", R"({"type":"run","jobs":[]})", R"({"type":"run","jobs":[{"params":{}}]})",
                           R"({"type":"cancel"})", R"({"type":"cancel","job":"x"})", R"({"type":"cancel","job":77})", "\xFF\xFE{}",
                           "{\"type\":\"stop\"", R"({"type":"run","jobs":[{"id":1e99}]})"}) {
    INFO(line);
    w.say(std::string(line));
    CHECK(!w.wait_for_type("log")["message"].get<std::string>().empty());
  }
  w.say(std::string("")); // nothing said, nothing answered
  w.say(std::string(17 * 1024 * 1024, 'x'));
  CHECK(w.wait_for_type("log")["message"].get<std::string>().find("16777216") != std::string::npos);
  w.say(std::string(200'000, '['));
  w.wait_for_type("log");
  w.say(run_line(1, {{{"id", 5}, {"params", 3}, {"dir", "/d"}}, lanczos_job(6, folder.path() / "a.png", folder.path() / "6")}));
  CHECK(w.wait_for_type("failed", 5)["kind"] == "input");
  w.wait_for_type("done", 6);
  w.say({{"type", "stop"}});
  CHECK(w.wait() == 0);
}

TEST_CASE("a job is cancelled while it runs, and one while it waits") {
  if (!has_ffmpeg())
    SKIP("ffmpeg is not installed");
  const scratch_folder folder;
  const auto clip = make_clip(folder.path() / "a.mp4", "64x48", 3000, {"-preset", "ultrafast"});
  REQUIRE(write_picture(pattern(10, 6, 3, 8), folder.path() / "a.png"));
  worker w;
  w.say(run_line(1, {lanczos_job(1, clip, folder.path() / "1")}));
  w.say(run_line(2, {lanczos_job(2, folder.path() / "a.png", folder.path() / "2"),
                     lanczos_job(3, folder.path() / "a.png", folder.path() / "3")}));
  w.wait_for_type("progress", 1);
  w.say({{"type", "cancel"}, {"job", 2}});
  w.say({{"type", "cancel"}, {"job", 1}});
  CHECK(w.wait_for_type("failed", 1)["error"] == "cancelled");
  CHECK(w.wait_for_type("failed", 2)["error"] == "cancelled");
  w.wait_for_type("done", 3);
  CHECK(!fs::exists(folder.path() / "1" / "upscaled.mp4"));
  CHECK(!fs::exists(folder.path() / "2" / "upscaled.png"));
  // The same id may come again, and is not cancelled then.
  w.say(run_line(3, {lanczos_job(2, folder.path() / "a.png", folder.path() / "2")}));
  w.wait_for_type("done", 2);
  w.end_input();
  CHECK(w.wait() == 0);
}

TEST_CASE("more batches than may wait are refused, not dropped") {
  if (!has_ffmpeg())
    SKIP("ffmpeg is not installed");
  const scratch_folder folder;
  const auto clip = make_clip(folder.path() / "a.mp4", "64x48", 3000, {"-preset", "ultrafast"});
  worker w;
  w.say(run_line(1, {lanczos_job(1, clip, folder.path() / "1")}));
  w.wait_for_type("progress", 1);
  for (int id = 2; id < 2 + 17; ++id)
    w.say(run_line(id, {lanczos_job(id, folder.path() / "missing.png", folder.path() / "2")}));
  CHECK(w.wait_for_type("failed", 18)["kind"] == "transient");
  w.say({{"type", "cancel"}, {"job", 1}});
  w.wait_for_type("failed", 1);
  for (int id = 2; id < 18; ++id)
    CHECK(w.wait_for_type("failed", id)["kind"] == "input");
  w.end_input();
  CHECK(w.wait() == 0);
}

TEST_CASE("a worker keeps its network from batch to batch") {
  if (!find_network("slim", 2, {}))
    SKIP("the package esrgan-slim is not installed");
  const scratch_folder folder;
  REQUIRE(write_picture(noise(16, 12, 3, 8), folder.path() / "a.png"));
  worker w;
  for (const int id : {1, 2}) {
    json job = lanczos_job(id, folder.path() / "a.png", folder.path() / std::to_string(id));
    job["params"]["control_weight"] = 1;
    w.say(run_line(id, {job}));
    const json result = w.wait_for_type("done", id)["result"];
    CHECK(result["model"] == "slim");
    CHECK(result["device"].get<std::string>().find("CPU") != std::string::npos);
  }
  CHECK(bytes_of(folder.path() / "1" / "upscaled.png") == bytes_of(folder.path() / "2" / "upscaled.png"));
  w.end_input();
  CHECK(w.wait() == 0);
}
