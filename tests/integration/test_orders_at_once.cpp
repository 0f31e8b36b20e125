// Orders that arrive at the same moment, and orders whose daemon is killed before they are carried out: what was acknowledged
// holds.
#include "tests/integration/daemon_process.hpp"

#include <functional>
#include <thread>

using namespace ferry;
using ferry::tests::daemon_process;
using ferry::tests::eventually;

namespace {

std::string path_of(std::int64_t id, const char* action = "") { return "/jobs/" + std::to_string(id) + action; }

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
