// Jobs with more items than may run together, by the real daemon.
#include "tests/integration/daemon_process.hpp"

#include <fstream>
#include <set>

using namespace ferry;
using ferry::tests::daemon_process;
using ferry::tests::eventually;

namespace {

std::string path_of(std::int64_t id, const char* action = "") { return "/jobs/" + std::to_string(id) + action; }

std::string parts_type(int max_items) {
  return R"(
[job_types.warm]
runner = "worker"
command = ["/usr/bin/python3", ")" FERRY_SCRIPTED_WORKER R"("]
warm_key = ["load"]
grace = "20s"
[job_types.warm.batch]
items = "items"
max_items = )" +
         std::to_string(max_items) + "\n";
}

// Names of files that an item waits for, where one of that number is in `gated`.
json items(const daemon_process& daemon, int count, const std::set<int>& gated = {}) {
  json list = json::array();
  for (int i = 0; i < count; ++i)
    list.push_back(gated.contains(i) ? (daemon.directory() / ("gate" + std::to_string(i))).string() : "i" + std::to_string(i));
  return list;
}

void open_gate(const daemon_process& daemon, int item) {
  std::ofstream(daemon.directory() / ("gate" + std::to_string(item))).flush();
}

// Each item appends its name to this file when it is worked on.
std::filesystem::path diary(const daemon_process& daemon) { return daemon.directory() / "diary"; }

std::vector<std::string> lines_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);)
    lines.push_back(line);
  return lines;
}

std::int64_t submit(daemon_process& daemon, const json& items, const json& more = json::object()) {
  json params{{"do", "items"}, {"items", items}, {"diary", diary(daemon).string()}};
  params.update(more);
  return daemon.post("/jobs", {{"type", "warm"}, {"params", params}})["id"];
}

std::vector<std::string> texts(const json& list) {
  std::vector<std::string> all;
  for (const json& one : list)
    all.push_back(one);
  return all;
}

// How many items each part of its result took.
std::vector<int> sizes(const json& job) {
  std::vector<int> all;
  for (const json& part : job["result"]["parts"])
    all.push_back(part["items"]);
  return all;
}

} // namespace

TEST_CASE("a job with more items than may run together runs in parts, and others join its last one") {
  daemon_process daemon(parts_type(3), 1);
  daemon.start();
  daemon.post("/queue/pause");
  const auto eight = items(daemon, 8);
  const auto large = submit(daemon, eight), small = submit(daemon, {"alone"});
  daemon.post("/queue/unpause");
  const json job = daemon.finished(large), other = daemon.finished(small);
  CAPTURE(job.dump());
  REQUIRE(job["status"] == "completed");
  CHECK(sizes(job) == std::vector{3, 3, 2});
  CHECK(job["attempts"] == 1);
  CHECK(job["items"] == json{{"done", 8}, {"running", 0}, {"total", 8}});
  CHECK(job["params"]["items"] == eight); // as they were submitted
  std::vector<std::string> worked;
  for (const json& part : job["result"]["parts"]) {
    for (const auto& item : texts(part["result"]["items"]))
      worked.push_back(item);
    CHECK(part["result"]["part"]["of"] == 8); // what the worker was told
    const auto directory =
        daemon.data() / "runs" / std::to_string(part["batch"].get<std::int64_t>()) / "jobs" / std::to_string(large);
    CHECK(std::filesystem::exists(directory / "made.txt"));
  }
  CHECK(worked == texts(eight));
  CHECK(other["batch"] == job["batch"]);
  CHECK(other["items"] == nullptr);
}

TEST_CASE("a job in parts counts as one job, in as many runs as it took") {
  daemon_process daemon(parts_type(3), 1);
  daemon.start();
  REQUIRE(daemon.finished(submit(daemon, items(daemon, 8)))["status"] == "completed");
  const auto of_type = [&] { return daemon.get("/statistics")["types"]["warm"]; };
  CHECK(of_type()["jobs"] == 1);
  CHECK(of_type()["batches"] == 3);
  CHECK(of_type()["loads"] == 1);
  CHECK(of_type()["warmth"]["jobs"] == 1); // its last run found the model loaded
  REQUIRE(daemon.finished(submit(daemon, items(daemon, 7)))["status"] == "completed");
  CHECK(of_type()["jobs"] == 2);
  CHECK(of_type()["batches"] == 6);
  CHECK(of_type()["estimates"]["jobs"] == 2);
}

TEST_CASE("P4: an item is worked on once, though the daemon is killed in the middle of each part and between them") {
  daemon_process daemon(parts_type(2), 1);
  daemon.start();
  const auto all = items(daemon, 7, {1, 3, 5});
  const auto id = submit(daemon, all);
  for (const int gate : {1, 3, 5}) {
    eventually([&] { return lines_of(diary(daemon)).size() == static_cast<std::size_t>(gate + 1); }); // it waits at the gate
    const json job = daemon.get(path_of(id));
    CHECK(job["status"] == "running");
    CHECK(job["items"]["done"] == gate - 1);
    CHECK(job["progress"]["fraction"].get<double>() >= (gate - 1) / 7.0 - 1e-9);
    CHECK(job["progress"]["fraction"].get<double>() < (gate + 1) / 7.0);
    if (gate == 3) { // it ends while no daemon is there
      daemon.kill();
      open_gate(daemon, gate);
      daemon.start();
    } else {
      daemon.crash_and_start();
      open_gate(daemon, gate);
    }
  }
  const json job = daemon.finished(id);
  CAPTURE(job.dump());
  REQUIRE(job["status"] == "completed");
  CHECK(sizes(job) == std::vector{2, 2, 2, 1});
  CHECK(lines_of(diary(daemon)) == texts(all));
  CHECK(job["attempts"] == 1);
}

TEST_CASE("a job that was cancelled between its parts goes on behind them when it is retried, or begins anew from scratch") {
  daemon_process daemon(parts_type(2), 1);
  daemon.start();
  const auto all = items(daemon, 5, {2});
  const auto id = submit(daemon, all);
  eventually([&] { return lines_of(diary(daemon)).size() == 3; });
  const auto refused =
      daemon.refused("PATCH", path_of(id), json{{"params", {{"items", json::array({"other"})}}}}.dump()); // it runs
  CHECK(refused.code == error_code::conflict);
  daemon.post(path_of(id, "/cancel"));
  CHECK(daemon.finished(id)["status"] == "cancelled");
  CHECK(sizes(daemon.get(path_of(id))) == std::vector{2});

  daemon.post("/queue/pause");
  daemon.post(path_of(id, "/retry"));
  const auto edited = daemon.refused("PATCH", path_of(id), json{{"params", {{"items", json::array({"other"})}}}}.dump());
  CHECK(edited.code == error_code::conflict);
  CHECK(edited.what.find("some of its items are done") != std::string::npos);
  open_gate(daemon, 2);
  daemon.post("/queue/unpause");
  const json job = daemon.finished(id);
  REQUIRE(job["status"] == "completed");
  CHECK(sizes(job) == std::vector{2, 2, 1});
  CHECK(lines_of(diary(daemon)).size() == 6); // the item at the gate was begun twice, those before it once

  const auto other = submit(daemon, items(daemon, 3, {2}), {{"do", "items"}, {"fail_at", "i1"}});
  REQUIRE(daemon.finished(other)["status"] == "failed");
  daemon.post(path_of(other, "/retry"), {{"from_scratch", true}});
  CHECK(daemon.finished(other)["status"] == "failed");
  CHECK(daemon.get(path_of(other))["result"].is_null());
}

TEST_CASE("a job that runs out of memory alone runs with fewer items at a time, and pays no attempt for it") {
  daemon_process daemon(parts_type(8), 1);
  daemon.start();
  const auto id = submit(daemon, items(daemon, 8), {{"do", "memory"}, {"most", 2}});
  const json job = daemon.finished(id);
  CAPTURE(job.dump());
  REQUIRE(job["status"] == "completed");
  CHECK(sizes(job) == std::vector{2, 2, 2, 2});
  CHECK(job["attempts"] == 1);
  CHECK(job["retries"] == 0);
}

TEST_CASE("a job that is suspended in the middle of a part begins that part again, and none before it") {
  daemon_process daemon(parts_type(2), 1);
  daemon.start();
  const auto all = items(daemon, 4, {3});
  const auto id = submit(daemon, all);
  eventually([&] { return lines_of(diary(daemon)).size() == 4; });
  daemon.post(path_of(id, "/suspend"));
  eventually([&] { return daemon.get(path_of(id))["held_for"] == "suspended"; });
  open_gate(daemon, 3);
  daemon.post(path_of(id, "/resume"));
  REQUIRE(daemon.finished(id)["status"] == "completed");
  const auto worked = lines_of(diary(daemon));
  CHECK(worked.size() == 6);
  CHECK(worked[4] == all[2]);
  CHECK(sizes(daemon.get(path_of(id))) == std::vector{2, 2});
}

TEST_CASE("a queued job cannot be edited into one that no device could ever run") {
  daemon_process daemon(parts_type(8) + "split = false\nmemory_mib_per_item = 400\n", 1);
  daemon.start();
  daemon.post("/queue/pause");
  const auto id = submit(daemon, items(daemon, 1));
  const json many{{"params", {{"items", items(daemon, 3)}}}};
  const auto refused = daemon.refused("PATCH", path_of(id), many.dump());
  CHECK(refused.code == error_code::invalid_argument);
  CHECK(to_string(refused).find("a job of so many items can never run here") != std::string::npos);
  daemon.patch(path_of(id), {{"params", {{"items", items(daemon, 2)}}}});
  CHECK(daemon.get(path_of(id))["params"]["items"].size() == 2);
}

TEST_CASE("P4: a part that completes though its job is to be cancelled counts, and is not run again by a retry") {
  daemon_process daemon(parts_type(2), 1);
  daemon.start();
  const auto id = submit(daemon, items(daemon, 5, {3}), {{"deaf", true}}); // it hears no cancel
  eventually([&] { return lines_of(diary(daemon)).size() == 4; });
  daemon.post(path_of(id, "/cancel"));
  open_gate(daemon, 3);
  CHECK(daemon.finished(id)["status"] == "cancelled");
  CHECK(sizes(daemon.get(path_of(id))) == std::vector{2, 2});
  daemon.post(path_of(id, "/retry"));
  CHECK(daemon.finished(id)["status"] == "completed");
  CHECK(lines_of(diary(daemon)) == texts(items(daemon, 5, {3})));
}

TEST_CASE("a part in the middle of which a job failed is not among those that are done") {
  daemon_process daemon(parts_type(2), 1);
  daemon.start();
  const auto id = submit(daemon, items(daemon, 4), {{"fail_at", "i3"}});
  const json job = daemon.finished(id);
  CHECK(job["status"] == "failed");
  CHECK(sizes(job) == std::vector{2});
  CHECK(job["items"]["done"] == 2);
}

TEST_CASE("after a restart the memory of what runs counts its items, and what waited for others once waits for them no more") {
  daemon_process daemon(parts_type(4) + "memory_mib_per_item = 200\n", 4); // of 1000 MiB
  daemon.start();
  const auto runs = submit(daemon, items(daemon, 4, {0}));
  eventually([&] { return lines_of(diary(daemon)).size() == 1; });
  daemon.post("/job-types/warm/hold");
  const auto waits = submit(daemon, {"a", "b"});
  daemon.crash_and_start();
  const json devices = daemon.get("/status")["devices"];
  CHECK(devices[0]["memory_leased_mib"] == 800);
  daemon.post("/job-types/warm/release");
  const json device = daemon.get(path_of(waits, "/explanation"))["devices"][0];
  CHECK(device["why"].get<std::string>().find("needs 400 MiB") != std::string::npos);
  open_gate(daemon, 0);
  CHECK(daemon.finished(runs)["status"] == "completed");
  CHECK(daemon.finished(waits)["status"] == "completed");
}

TEST_CASE("a job that has done some of its items waits no more for the jobs that it needed, also after a restart") {
  daemon_process daemon(parts_type(2), 2);
  daemon.start();
  const auto needed = daemon.submit_script("exit 1");
  daemon.finished(needed);
  json body{{"type", "warm"}, {"needs", {needed}}, {"on_needs_failure", "start"}};
  body["params"] = {{"do", "items"}, {"items", items(daemon, 4, {2})}, {"diary", diary(daemon).string()}};
  const std::int64_t id = daemon.post("/jobs", body)["id"];
  eventually([&] { return lines_of(diary(daemon)).size() == 3; });
  daemon.post("/queue/pause");
  daemon.post(path_of(id, "/suspend"));
  eventually([&] { return daemon.get(path_of(id))["held_for"] == "suspended"; });
  daemon.post(path_of(needed, "/retry"));
  daemon.crash_and_start();
  daemon.post(path_of(id, "/resume"));
  CHECK(daemon.get(path_of(id))["position"].is_number());
  open_gate(daemon, 2);
  daemon.post("/queue/unpause");
  CHECK(daemon.finished(id)["status"] == "completed");
}
