// Short jobs of a warm worker are committed ahead (scheduling/follow_up.hpp): what happens to those that wait for their turn.
#include "tests/integration/daemon_process.hpp"

#include <fstream>

using namespace ferry;
using ferry::tests::daemon_process;
using ferry::tests::eventually;

namespace {

const char* const quick_type = R"(
[job_types.quick]
runner = "worker"
command = ["/usr/bin/python3", ")" FERRY_SCRIPTED_WORKER R"("]
keep_alive = "10m"
)";

std::string path_of(std::int64_t id, const char* action = "") { return "/jobs/" + std::to_string(id) + action; }

std::int64_t submit(daemon_process& daemon, const json& params = json::object()) {
  return daemon.post("/jobs", {{"type", "quick"}, {"params", params}})["id"];
}

int times(const json& job, const std::string& what) {
  int found = 0;
  for (const json& entry : job["history"])
    found += entry["what"] == what ? 1 : 0;
  return found;
}

// A job that runs until `go` exists, though ferry expects a short one, and behind it two that were committed to its worker.
struct blocked {
  std::int64_t front = 0, second = 0, third = 0;
};

blocked block(daemon_process& daemon, const std::filesystem::path& go) {
  for (int round = 0; round < 50; ++round) { // a machine that is too busy commits nothing ahead
    std::vector<std::int64_t> taught;
    for (int i = 0; i < 12; ++i)
      taught.push_back(submit(daemon));
    for (const auto id : taught)
      CHECK(daemon.finished(id)["status"] == "completed");
    daemon.post("/queue/pause");
    const blocked jobs{submit(daemon, {{"do", "wait"}, {"until", go.string()}}), submit(daemon), submit(daemon)};
    daemon.post("/queue/unpause");
    bool committed = false;
    eventually([&] {
      committed = daemon.get(path_of(jobs.second))["status"] == "running" && daemon.get(path_of(jobs.third))["status"] == "running";
      return committed || daemon.get(path_of(jobs.front))["phase"] == "running";
    });
    if (committed)
      return jobs;
    for (const auto id : {jobs.third, jobs.second, jobs.front})
      daemon.post(path_of(id, "/cancel"));
    daemon.finished(jobs.front);
  }
  FAIL("nothing was ever committed ahead");
  return {};
}

} // namespace

TEST_CASE("what was committed to a worker that takes longer than expected is queued again, and no attempt is counted") {
  daemon_process daemon(quick_type, 1);
  daemon.start();
  const auto go = daemon.directory() / "go";
  const auto jobs = block(daemon, go);
  for (const auto id : {jobs.second, jobs.third}) {
    eventually([&] { return times(daemon.get(path_of(id)), "batch_requeued") == 1; });
    CHECK(daemon.get(path_of(id))["status"] == "queued");
  }
  CHECK(daemon.get(path_of(jobs.front))["status"] == "running");
  std::ofstream(go).flush();
  for (const auto id : {jobs.front, jobs.second, jobs.third}) {
    const json job = daemon.finished(id);
    CHECK(job["status"] == "completed");
    CHECK(job["attempts"] == 1);
    CHECK(times(job, "run_started") == 1);
  }
}

TEST_CASE("a job that was committed ahead can be cancelled and suspended before its turn") {
  daemon_process daemon(quick_type, 1);
  daemon.start();
  const auto go = daemon.directory() / "go";
  const auto jobs = block(daemon, go);
  daemon.post(path_of(jobs.second, "/cancel"));
  daemon.post(path_of(jobs.third, "/suspend"));
  CHECK(daemon.finished(jobs.second)["status"] == "cancelled");
  eventually([&] { return daemon.get(path_of(jobs.third))["status"] == "queued"; });
  CHECK(daemon.get(path_of(jobs.third))["held_for"] == "suspended");
  eventually([&] { return daemon.get(path_of(jobs.third))["attempts"] == 0; }); // for it never started
  std::ofstream(go).flush();
  CHECK(daemon.finished(jobs.front)["status"] == "completed");
  CHECK(times(daemon.get(path_of(jobs.second)), "run_started") == 0);
  daemon.post(path_of(jobs.third, "/resume"));
  CHECK(daemon.finished(jobs.third)["status"] == "completed");
}

TEST_CASE("P2 P4 what was committed ahead of a daemon's death runs once, after it") {
  daemon_process daemon(quick_type, 1);
  daemon.start();
  const auto go = daemon.directory() / "go";
  const auto jobs = block(daemon, go);
  daemon.crash_and_start();
  CHECK(daemon.get(path_of(jobs.front))["status"] == "running");
  std::ofstream(go).flush();
  for (const auto id : {jobs.front, jobs.second, jobs.third}) {
    const json job = daemon.finished(id);
    CHECK(job["status"] == "completed");
    CHECK(job["attempts"] == 1);
    CHECK(times(job, "run_started") == 1);
  }
}

TEST_CASE("P4 what was committed to a worker that dies runs once, on another") {
  daemon_process daemon(quick_type, 1);
  daemon.start();
  const auto jobs = block(daemon, daemon.directory() / "never");
  daemon.post(path_of(jobs.front, "/suspend")); // a suspend ends the worker, so that the device is free
  for (const auto id : {jobs.second, jobs.third}) {
    const json job = daemon.finished(id);
    CHECK(job["status"] == "completed");
    CHECK(job["attempts"] == 1);
    CHECK(times(job, "run_started") == 1);
  }
}
