// Orders that arrive at the same moment, and orders whose daemon is killed before they are carried out: what was acknowledged
// holds.
#include "config/settings.hpp"
#include "tests/integration/daemon_process.hpp"

#include <csignal>
#include <fstream>
#include <functional>
#include <thread>

using namespace ferry;
using ferry::tests::daemon_process;
using ferry::tests::eventually;

namespace {

std::string path_of(std::int64_t id, const char* action = "") { return "/jobs/" + std::to_string(id) + action; }

// The supervisors that are ready, or at work.
std::vector<int> shims_of(daemon_process& daemon) {
  std::vector<int> found;
  const std::filesystem::path tasks = "/proc/" + std::to_string(daemon.get("/status")["pid"].get<int>()) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks)) {
    std::ifstream children(task.path() / "children");
    for (int pid = 0; children >> pid;) {
      std::error_code gone;
      if (std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/exe", gone).filename() == "ferry-shim")
        found.push_back(pid);
    }
  }
  return found;
}

json read_json(const std::filesystem::path& path) {
  std::ifstream file(path);
  return json::parse(file);
}

// Sends these requests at once, each over a connection of its own; the answers, in their order.
std::vector<result<cli::response>> at_once(daemon_process& daemon, const std::vector<cli::request>& requests) {
  std::vector<result<cli::response>> answers(requests.size(), fail(error_code::internal, "it was not sent"));
  std::vector<std::unique_ptr<cli::client>> clients;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    clients.push_back(daemon.connect());
    (void)clients.back()->send({.method = "GET", .path = "/status"}); // so that all of them are connected
  }
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < requests.size(); ++i)
    threads.emplace_back([&, i] { answers[i] = clients[i]->send(requests[i]); });
  for (auto& thread : threads)
    thread.join();
  return answers;
}

} // namespace

TEST_CASE("a suspend that was acknowledged holds though the daemon is killed before the job has left") {
  daemon_process daemon(R"(
[job_types.warm]
runner = "worker"
command = ["/usr/bin/python3", ")" FERRY_SCRIPTED_WORKER R"("]
batch.max_items = 3
)",
                        1);
  daemon.start();
  for (int round = 0; round < 4; ++round) {
    daemon.post("/queue/pause");
    std::vector<std::int64_t> ids;
    for (int i = 0; i < 3; ++i)
      ids.push_back(daemon.post("/jobs", {{"type", "warm"}, {"params", {{"do", "hang"}}}})["id"]);
    daemon.post("/queue/unpause");
    eventually([&] { return daemon.get(path_of(ids[1]))["phase"] == "running"; });
    daemon.post(path_of(ids[1], "/suspend"));
    daemon.crash_and_start();
    eventually([&] { return daemon.get(path_of(ids[1]))["status"] != "running"; });
    const json job = daemon.get(path_of(ids[1]));
    CAPTURE(round, job.dump());
    CHECK(job["status"] == "queued");
    CHECK(job["held_for"] == "suspended");
    for (const auto id : ids)
      daemon.post(path_of(id, "/cancel"));
    for (const auto id : ids)
      CHECK(daemon.finished(id)["status"] == "cancelled");
  }
}

TEST_CASE("a suspend that was acknowledged holds though the job's supervisor dies before it has started the job") {
  daemon_process daemon({}, 1);
  daemon.start();
  std::vector<int> shims;
  eventually([&] { return std::ssize(shims = shims_of(daemon)) == config::settings().runs.shims_ready; });
  for (const int shim : shims) // they do not start what they are given
    ::kill(shim, SIGSTOP);
  const auto id = daemon.submit_script("echo it ran; sleep 1000");
  eventually([&] { return daemon.get(path_of(id))["phase"] == "starting"; });
  daemon.post(path_of(id, "/suspend"));
  for (const int shim : shims)
    ::kill(shim, SIGKILL);
  eventually([&] { return daemon.get(path_of(id))["status"] != "running"; });
  for (int i = 0; i < 2; ++i) {
    CHECK(daemon.get(path_of(id))["status"] == "queued");
    CHECK(daemon.get(path_of(id))["held_for"] == "suspended");
    daemon.crash_and_start();
  }
}

TEST_CASE("a cancel that was acknowledged holds though daemon and supervisor are killed before the job has ended") {
  daemon_process daemon(R"(
[job_types.stubborn]
command = ["/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1000; done"]
grace = "10m"
[job_types.stubborn.retry]
lost = 5
delay = "1s"
)",
                        1);
  daemon.start();
  for (int round = 0; round < 4; ++round) {
    const std::int64_t id = daemon.post("/jobs", {{"type", "stubborn"}})["id"];
    eventually([&] { return daemon.get(path_of(id))["phase"] == "running"; });
    const auto batch = daemon.get(path_of(id))["batch"].get<std::int64_t>();
    daemon.post(path_of(id, "/cancel"));
    const auto shim = read_json(daemon.data() / "runs" / std::to_string(batch) / "shim.json");
    daemon.kill();
    ::kill(shim["pid"].get<int>(), SIGKILL);
    daemon.start();
    CHECK(daemon.finished(id)["status"] == "cancelled");
    CHECK(daemon.get(path_of(id))["attempts"] == 1);
  }
}

TEST_CASE("of several retries of one job one is taken, and it keeps what it needs") {
  daemon_process daemon({}, 2);
  daemon.start();
  for (int round = 0; round < 8; ++round) {
    CAPTURE(round);
    const auto needed = daemon.submit_script("sleep 1000");
    const auto job = daemon.submit_script("true", {{"needs", {needed}}, {"unique_key", "only one"}});
    daemon.post(path_of(job, "/cancel"));
    CHECK(daemon.finished(job)["status"] == "cancelled");
    const auto answers =
        at_once(daemon, std::vector<cli::request>(5, {.method = "POST", .path = path_of(job, "/retry"), .body = "{}"}));
    std::size_t taken = 0;
    for (const auto& answer : answers) {
      taken += answer ? 1 : 0;
      if (!answer)
        CHECK(answer.error().code == error_code::conflict);
    }
    CHECK(taken == 1);
    CHECK(daemon.get(path_of(job))["status"] == "queued");
    CHECK(daemon.get(path_of(job))["waiting_for"].get<std::string>().find("needs job") == 0);
    daemon.post(path_of(job, "/cancel"));
    daemon.post(path_of(needed, "/cancel"));
    daemon.finished(needed);
  }
}

TEST_CASE("holds and releases that come together leave memory and disk in agreement") {
  daemon_process daemon({}, 1);
  daemon.start();
  daemon.post("/queue/pause");
  std::vector<std::int64_t> ids;
  for (int i = 0; i < 25; ++i)
    ids.push_back(daemon.submit_script("true", {{"held", i % 2 == 0}}));
  for (const auto id : ids)
    at_once(daemon, {{.method = "POST", .path = path_of(id, "/release")}, {.method = "POST", .path = path_of(id, "/hold")}});
  std::vector<json> before, after;
  for (const auto id : ids)
    before.push_back(daemon.get(path_of(id))["held"]);
  daemon.crash_and_start();
  for (const auto id : ids)
    after.push_back(daemon.get(path_of(id))["held"]);
  CHECK(before == after);
}

TEST_CASE("edits of different parameters that come together are both made") {
  daemon_process daemon(R"(
[job_types.pair]
command = ["true"]
[job_types.pair.parameters]
type = "object"
properties = { left = { type = "integer", default = 0 }, right = { type = "integer", default = 0 } }
)",
                        1);
  daemon.start();
  daemon.post("/queue/pause");
  const std::int64_t id = daemon.post("/jobs", {{"type", "pair"}})["id"];
  for (int i = 1; i <= 25; ++i) {
    const auto body = [&](const char* key) { return json{{"params", {{key, i}}}}.dump(); };
    const auto answers = at_once(daemon, {{.method = "PATCH", .path = path_of(id), .body = body("left")},
                                          {.method = "PATCH", .path = path_of(id), .body = body("right")}});
    CHECK(answers[0].has_value());
    CHECK(answers[1].has_value());
    const json params = daemon.get(path_of(id))["params"];
    CHECK(params["left"] == i);
    CHECK(params["right"] == i);
  }
}
