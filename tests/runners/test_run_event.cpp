#include "runners/run_event.hpp"

#include "runners/run_spec.hpp"

#include <catch2/catch_all.hpp>

using namespace ferry;
using namespace ferry::runners;

namespace {

run_event again(const run_event& event) {
  const json line = json::parse(to_json(event).dump());
  CHECK(line.at("type").is_string());
  CHECK(line.at("at") == 1234);
  return run_event_from(line).value();
}

} // namespace

TEST_CASE("each event of a run comes back from its line as it was") {
  const instant at = from_unix_ms(1234);
  CHECK(std::get<run_started>(again(run_started{77, at})).pid == 77);
  const auto progressed = std::get<run_progressed>(again(run_progressed{job_id{3}, {0.25, 5, 20, "half way"}, at}));
  CHECK(progressed.job == job_id{3});
  CHECK(progressed.value.fraction == 0.25);
  CHECK(progressed.value.step == 5);
  CHECK(progressed.value.total == 20);
  CHECK(progressed.value.message == "half way");
  const auto bare = std::get<run_progressed>(again(run_progressed{{}, {}, at}));
  CHECK(bare.job.is_none());
  CHECK_FALSE(bare.value.fraction.has_value());
  CHECK(std::get<run_job_done>(again(run_job_done{job_id{3}, {{"a", 1}}, at})).result.at("a") == 1);
  const failure why{failure_kind::oom, "out of memory", 1, 9};
  CHECK(std::get<run_job_failed>(again(run_job_failed{job_id{3}, why, at})).why == why);
  run_exited exited;
  exited.signal = 15;
  exited.stopped_by = "cancelled";
  exited.artifacts = {{{"a.png", 12}, {"b/c.png", 0}}, {}};
  exited.at = at;
  const auto read = std::get<run_exited>(again(exited));
  CHECK(read.signal == 15);
  CHECK_FALSE(read.exit_status.has_value());
  CHECK(read.stopped_by == "cancelled");
  REQUIRE(read.artifacts.size() == 2);
  CHECK(read.artifacts[0].at(1).path == "b/c.png");
  CHECK(read.artifacts[0].at(0).bytes == 12);
  CHECK(read.artifacts[1].empty());
  run_exited never;
  never.why = failure{failure_kind::launch, "cannot start 'x'"};
  never.at = at;
  CHECK(std::get<run_exited>(again(never)).why == never.why);
}

TEST_CASE("an event of a newer shim is told apart from a damaged one") {
  CHECK(run_event_from({{"type", "teleported"}, {"at", 1}}).error().code == error_code::not_found);
  for (const json& damaged : {json(), json::array(), json{{"at", 1}}, json{{"type", 1}}, json{{"type", "started"}, {"at", 1}},
                              json{{"type", "started"}, {"at", "noon"}, {"pid", 1}}, json{{"type", "exited"}, {"at", 1}},
                              json{{"type", "exited"}, {"at", 1}, {"exit_status", 0}, {"artifacts", {{1}}}}})
    CHECK(run_event_from(damaged).error().code == error_code::invalid_argument);
}

TEST_CASE("a spec comes back from spec.json as it was") {
  run_spec spec;
  spec.batch = batch_id{7};
  spec.type = "upscale";
  spec.device = "GPU-1";
  spec.argv = {"ffmpeg", "-i", "a b", ""};
  spec.directory = "/data/runs/7/jobs/1";
  spec.environment = {{"PATH", "/bin"}, {"EMPTY", ""}};
  spec.grace = std::chrono::milliseconds{1500};
  spec.progress = config::progress_source::pattern;
  spec.progress_pattern = "(\\d+)%";
  spec.jobs = {{job_id{1}, {{"source", "x"}}, "/data/runs/7/jobs/1"}, {job_id{2}, json::object(), "/data/runs/7/jobs/2"}};
  const json document = json::parse(to_json(spec).dump());
  CHECK(document.at("jobs").at(0).at("dir") == "/data/runs/7/jobs/1");
  const auto read = run_spec_from(document).value();
  CHECK(to_json(read) == document);
  CHECK(read.argv == spec.argv);
  CHECK(read.environment == spec.environment);
  CHECK(read.grace == spec.grace);
  CHECK(read.progress == spec.progress);
  CHECK(read.jobs.at(1).id == job_id{2});
}

TEST_CASE("a spec that cannot be understood says why") {
  CHECK(run_spec_from(json::object()).error().code == error_code::invalid_argument);
  CHECK(run_spec_from({{"version", 99}}).error().code == error_code::newer_version);
  run_spec spec;
  CHECK(run_spec_from(to_json(spec)).error().what.find("argv") != std::string::npos);
}
