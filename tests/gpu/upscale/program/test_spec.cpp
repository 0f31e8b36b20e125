// Batches as the queue gives them.
#include "gpu/upscale/image/codec.hpp"
#include "upscale_process.hpp"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>

using namespace ferry;
using namespace ferry::upscale;
using namespace ferry::upscale::test;
namespace fs = std::filesystem;

namespace {

struct batch_run {
  finished_run process;
  std::vector<json> events;
};

// Writes a spec.json with what else the queue writes into it, and runs it.
batch_run run_batch(const scratch_folder& folder, json jobs, bool with_events = true) {
  const json spec{{"version", 1},
                  {"batch", 7},
                  {"type", "upscale"},
                  {"device", "cpu"},
                  {"argv", {"ferry-upscale"}},
                  {"environment", json::object()},
                  {"directory", "/"},
                  {"grace_ms", 1000},
                  {"jobs", std::move(jobs)}};
  const auto file = folder.write("spec.json", spec.dump());
  const auto events = folder.path() / "reported.jsonl";
  fs::remove(events);
  std::map<std::string, std::string> environment;
  if (with_events)
    environment["FERRY_EVENTS"] = events.string();
  batch_run run{run_upscale({"--spec", file.string()}, environment), {}};
  run.events = lines_of(bytes_of(events));
  return run;
}

fs::path job_folder(const scratch_folder& folder, const char* name) {
  fs::create_directories(folder.path() / name);
  return folder.path() / name;
}

} // namespace

TEST_CASE("each job of a batch has its own result, and one that fails is its own affair") {
  const scratch_folder folder;
  REQUIRE(write_picture(pattern(10, 6, 3, 8), folder.path() / "a.png"));
  const auto one = job_folder(folder, "1"), two = job_folder(folder, "2"), three = job_folder(folder, "3"),
             four = job_folder(folder, "4");
  const auto run = run_batch(folder, {lanczos_job(1, folder.path() / "a.png", one, {{"prompt", "ein Haus; \"schön\""}}),
                                      lanczos_job(2, folder.path() / "missing.png", two),
                                      lanczos_job(3, folder.path() / "a.png", three, {{"scale", 4}, {"output", "big.jpg"}}),
                                      lanczos_job(4, folder.path() / "a.png", four, {{"scale", 5}})});
  INFO(run.process.err);
  // The status speaks of the whole batch, and jobs 1 and 3 are done.
  CHECK(run.process.status == 0);
  const auto done = of_type(run.events, "done");
  REQUIRE(done.size() == 2);
  const json& result = done[0]["result"];
  CHECK(done[0]["job"] == 1);
  CHECK(result["path"] == "upscaled.png");
  CHECK(result["width"] == 20);
  CHECK(result["height"] == 12);
  CHECK(result["scale"] == 2);
  CHECK(result["model"] == "none");
  CHECK(result["control_weight"] == 0);
  CHECK(result["prompt"] == "ein Haus; \"schön\"");
  CHECK(result["seconds"].is_number());
  CHECK(result["device"].is_string());
  CHECK(done[1]["job"] == 3);
  CHECK(done[1]["result"]["path"] == "big.jpg");
  CHECK(read_picture(one / "upscaled.png")->width == 20);
  CHECK(read_picture(three / "big.jpg")->width == 40);
  const auto failed = of_type(run.events, "failed");
  REQUIRE(failed.size() == 2);
  for (const json& line : failed) {
    CHECK(line["kind"] == "input");
    CHECK((line["job"] == 2 || line["job"] == 4));
  }
  CHECK(of_type(run.events, "artifact", 3).front()["path"] == "big.jpg");
  for (const int job : {1, 3})
    CHECK(of_type(run.events, "progress", job).back()["value"] == 1.0);
}

TEST_CASE("a batch in which all fail ends with status 1, as does one whose failures only the log shows") {
  const scratch_folder folder;
  REQUIRE(write_picture(pattern(10, 6, 3, 8), folder.path() / "a.png"));
  const auto one = job_folder(folder, "1");
  CHECK(run_batch(folder, {lanczos_job(1, folder.path() / "missing.png", one)}).process.status == 1);
  const json mixed{lanczos_job(1, folder.path() / "a.png", one), lanczos_job(2, folder.path() / "missing.png", one)};
  CHECK(run_batch(folder, mixed, true).process.status == 0);
  const auto unheard = run_batch(folder, mixed, false);
  CHECK(unheard.process.status == 1);
  CHECK(unheard.process.err.find("job 2") != std::string::npos);
  CHECK(run_batch(folder, {lanczos_job(1, folder.path() / "a.png", one)}, false).process.status == 0);
}

TEST_CASE("a folder of pictures as a job: all are artifacts, and a bad one fails the job after the others are done") {
  const scratch_folder folder;
  const auto photos = job_folder(folder, "photos"), one = job_folder(folder, "1");
  for (const char* name : {"a.png", "b.jpg", "c.png"})
    REQUIRE(write_picture(pattern(10, 6, 3, 8), photos / name));
  auto run = run_batch(folder, {lanczos_job(1, photos, one)});
  CHECK(run.process.status == 0);
  const json result = of_type(run.events, "done").at(0)["result"];
  CHECK(result["path"] == "upscaled");
  CHECK(result["pictures"] == 3);
  CHECK(!result.contains("width"));
  const auto artifacts = of_type(run.events, "artifact");
  REQUIRE(artifacts.size() == 3);
  CHECK(artifacts[1]["path"] == "upscaled/b.jpg");
  CHECK(fs::exists(one / "upscaled" / "c.png"));
  (void)folder.write("photos/bad.png", "no picture");
  const auto two = job_folder(folder, "2");
  run = run_batch(folder, {lanczos_job(2, photos, two)});
  CHECK(run.process.status == 1);
  const json failed = of_type(run.events, "failed").at(0);
  CHECK(failed["kind"] == "input");
  CHECK(failed["error"].get<std::string>().find("bad.png") != std::string::npos);
  CHECK(of_type(run.events, "artifact").size() == 3);
  CHECK(fs::exists(two / "upscaled" / "c.png"));
}

TEST_CASE("a spec that cannot be understood fails all of its jobs, with status 2") {
  const scratch_folder folder;
  const auto events = folder.path() / "reported.jsonl";
  for (const char* text : {"", "no json", "[]", "{}", R"({"jobs":[]})", R"({"jobs":[{"params":{}}]})"}) {
    INFO(text);
    fs::remove(events);
    const auto run = run_upscale({"--spec", folder.write("spec.json", text).string()}, {{"FERRY_EVENTS", events.string()}});
    CHECK(run.status == 2);
    CHECK(run.err.find("spec.json") != std::string::npos);
    const auto lines = lines_of(bytes_of(events));
    REQUIRE(lines.size() == 1);
    CHECK(lines[0]["type"] == "failed");
    CHECK(!lines[0].contains("job"));
  }
  CHECK(run_upscale({"--spec", (folder.path() / "missing.json").string()}).status == 2);
}

TEST_CASE("names that are not UTF-8 still make lines of JSON") {
  const scratch_folder folder;
  const auto photos = job_folder(folder, "photos"), one = job_folder(folder, "1");
  REQUIRE(write_picture(pattern(4, 4, 3, 8), photos / "\xE4.png"));
  const auto run = run_batch(folder, {lanczos_job(1, photos, one)});
  CHECK(run.process.status == 0);
  CHECK(of_type(run.events, "artifact").size() == 1);
  CHECK(fs::exists(one / "upscaled" / "\xE4.png"));
}

TEST_CASE("a disk that is full is reported as what may pass") {
  const small_disk disk("100k");
  if (!disk.is_mounted())
    SKIP("this user may not mount a small file system");
  const scratch_folder folder;
  REQUIRE(write_picture(noise(300, 300, 3, 8), folder.path() / "a.png"));
  const auto run = run_batch(folder, {lanczos_job(1, folder.path() / "a.png", disk.folder().path())});
  CHECK(run.process.status == 1);
  CHECK(of_type(run.events, "failed").at(0)["kind"] == "transient");
  CHECK(disk.folder().names().empty());
}
