// P6 by way of real processes: what a run prints and reports comes out as events.
#include "run_harness.hpp"

#include <catch2/catch_all.hpp>

using namespace ferry;
using namespace ferry::runners;
using namespace ferry::runners::test;

namespace {

std::filesystem::path fixture(const char* name) { return std::filesystem::path(FERRY_FIXTURES) / name; }

progress last_progress(const history& seen) {
  const auto all = seen.all<run_progressed>();
  REQUIRE_FALSE(all.empty());
  return all.back().value;
}

// Launches a script that prints the beginning of a captured log, and the rest once the test has seen progress.
batch_id launch_in_two(harness& h, const char* name, int first_bytes) {
  return h.launch_shell("head -c " + std::to_string(first_bytes) + " " + fixture(name).string() +
                        "; while [ ! -e go ]; do sleep 0.02; done; tail -c +" + std::to_string(first_bytes + 1) + " " +
                        fixture(name).string());
}

void let_go(harness& h, batch_id batch) {
  std::filesystem::create_directory(h.directory(batch) / "jobs" / to_string(batch) / "go");
}

} // namespace

TEST_CASE("progress of a tqdm bar is reported while the run goes on, and at its end") {
  harness h;
  const batch_id batch = launch_in_two(h, "tqdm_single.log", 2500);
  const auto early = h.wait(batch, [](const history& seen) { return !seen.all<run_progressed>().empty(); });
  CHECK(last_progress(early).fraction.value() > 0.2);
  CHECK(last_progress(early).fraction.value() < 0.9);
  let_go(h, batch);
  const auto seen = h.wait_over(batch);
  CHECK(last_progress(seen).step == 40);
  CHECK(last_progress(seen).total == 40);
  CHECK(last_progress(seen).fraction == 1.0);
  CHECK(seen.all<run_progressed>().back().job.is_none());
}

TEST_CASE("progress of ffmpeg is reported while the run goes on, and at its end") {
  harness h;
  const batch_id batch = launch_in_two(h, "ffmpeg_upscale.log", 6000);
  const auto early = h.wait(batch, [](const history& seen) { return !seen.all<run_progressed>().empty(); });
  CHECK(last_progress(early).total == 150);
  CHECK(last_progress(early).fraction.value() < 1.0);
  let_go(h, batch);
  CHECK(last_progress(h.wait_over(batch)).step == 150);
}

TEST_CASE("a configured pattern is read from the output") {
  harness h;
  auto spec = h.spec({"/bin/sh", "-c", "echo epoch 3/12; echo other"});
  spec.progress = config::progress_source::pattern;
  spec.progress_pattern = "epoch (\\d+)/(\\d+)";
  h.launch(spec);
  CHECK(last_progress(h.wait_over(spec.batch)).fraction == 0.25);
}

TEST_CASE("what a job reports itself goes before what it prints") {
  harness h;
  const batch_id batch =
      h.launch_shell(R"(echo '{"type":"progress","value":0.4,"step":4,"total":10,"message":"denoising"}' >> "$FERRY_EVENTS"
    printf '\r 90%%|#########     | 9/10 [00:10<00:12,  4.50it/s]'
    echo broken >> "$FERRY_EVENTS"
    echo '{"type":"artifact","path":"sub/second"}' >> "$FERRY_EVENTS"
    mkdir sub; : > first; : > sub/second
    echo '{"type":"done","result":{"seed":5}}' >> "$FERRY_EVENTS")");
  const auto seen = h.wait_over(batch);
  REQUIRE(seen.all<run_progressed>().size() == 1);
  CHECK(last_progress(seen).fraction == 0.4);
  CHECK(last_progress(seen).message == "denoising");
  REQUIRE(seen.all<run_job_done>().size() == 1);
  CHECK(seen.all<run_job_done>().front().result.at("seed") == 5);
  CHECK(seen.all<run_job_done>().front().job == job_id{batch.value});
  const auto files = seen.all<run_exited>().front().artifacts.at(0);
  REQUIRE(files.size() == 2);
  CHECK(files[0].path == "sub/second");
  CHECK(files[1].path == "first");
  CHECK_THAT(read_text(h.directory(batch) / "events.jsonl"), Catch::Matchers::ContainsSubstring(R"("count":1)"));
}

TEST_CASE("a failure that a job reports is told even when it exits with 0") {
  harness h;
  const batch_id batch = h.launch_shell(R"(echo '{"type":"failed","error":"CUDA out of memory","kind":"oom"}' >> "$FERRY_EVENTS")");
  const auto seen = h.wait_over(batch);
  REQUIRE(seen.all<run_job_failed>().size() == 1);
  CHECK(seen.all<run_job_failed>().front().why.kind == failure_kind::oom);
  CHECK(seen.all<run_exited>().front().exit_status == 0);
}

TEST_CASE("each job of a batch has its own end and its own files") {
  harness h;
  auto spec = h.spec({"/bin/sh", "-c", R"(echo x > "$1/one"; echo '{"type":"done","job":101,"result":1}' >> "$FERRY_EVENTS"
    echo '{"type":"failed","job":102,"error":"bad","kind":"input"}' >> "$FERRY_EVENTS")",
                      "sh"});
  const auto jobs = h.directory(spec.batch) / "jobs";
  spec.jobs = {{job_id{101}, json::object(), jobs / "101"}, {job_id{102}, json::object(), jobs / "102"}};
  spec.directory = jobs;
  spec.argv.push_back((jobs / "101").string());
  h.launch(spec);
  const auto seen = h.wait_over(spec.batch);
  CHECK(seen.all<run_job_done>().at(0).job == job_id{101});
  CHECK(seen.all<run_job_failed>().at(0).job == job_id{102});
  const auto artifacts = seen.all<run_exited>().front().artifacts;
  REQUIRE(artifacts.size() == 2);
  CHECK(artifacts[0].at(0).path == "one");
  CHECK(artifacts[1].empty());
}

TEST_CASE("200 MB of output are stored whole, and the progress at their end is found") {
  harness h;
  const batch_id batch =
      h.launch_shell("head -c 200000000 /dev/zero; printf '\\n100%%|##########| 10/10 [00:10<00:00,  4.50it/s]\\n'");
  const auto seen = h.wait_over(batch);
  CHECK(seen.all<run_exited>().front().exit_status == 0);
  CHECK(std::filesystem::file_size(h.directory(batch) / "output.log") > 200'000'000);
  CHECK(last_progress(seen).fraction == 1.0);
}

TEST_CASE("a pipe in place of the file for reports blocks nobody") {
  harness h;
  CHECK(h.wait_exit(h.launch_shell("mkfifo \"$FERRY_EVENTS\"; exit 3")).exit_status == 3);
}
