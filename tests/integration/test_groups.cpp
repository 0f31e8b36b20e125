// Groups that limit how many of their jobs run at once, and unique keys.
#include "tests/integration/daemon_process.hpp"

#include <atomic>
#include <fstream>
#include <set>

using namespace ferry;
using ferry::tests::daemon_process;
using ferry::tests::eventually;
using ferry::tests::run_program;

namespace {

std::string path_of(std::int64_t id, const char* action = "") { return "/jobs/" + std::to_string(id) + action; }

json group_named(daemon_process& daemon, const std::string& name) {
  const json answer = daemon.get("/groups");
  for (const json& one : answer["groups"])
    if (one["name"] == name)
      return one;
  return nullptr;
}

std::set<std::int64_t> running(daemon_process& daemon) {
  std::set<std::int64_t> ids;
  const json answer = daemon.get("/queue");
  for (const json& job : answer["jobs"])
    if (job["status"] == "running")
      ids.insert(job["id"].get<std::int64_t>());
  return ids;
}

// Runs until `<directory>/go` is there; fails where two more than `most` of them overlap.
std::string counted_script(const daemon_process& daemon) {
  const auto place = (daemon.directory() / "inside").string();
  return "mkdir -p " + place + "; touch " + place + "/$FERRY_JOB_ID; ls " + place + " | wc -l >> " + place +
         ".log; sleep 0.02; rm " + place + "/$FERRY_JOB_ID";
}

} // namespace

TEST_CASE("at most so many jobs of a group run at once, and others are not kept waiting, over a crash and retries") {
  daemon_process daemon({}, 6);
  daemon.start();
  CHECK(daemon.patch("/groups/night", {{"parallel", 2}})["parallel"] == 2);
  const auto go = (daemon.directory() / "go").string();
  const auto wait = "while ! test -e " + go + "; do sleep 0.02; done";
  std::vector<std::int64_t> night;
  for (int n = 0; n < 4; ++n)
    night.push_back(daemon.submit_script(n == 0 ? wait + "; exit 1" : wait, {{"group", "night"}}));
  const auto other = daemon.submit_script(wait);
  eventually([&] { return running(daemon) == std::set{night[0], night[1], other}; });
  const json waiting = daemon.get(path_of(night[2]));
  CHECK(waiting["group"] == "night");
  CHECK(waiting["position"] == 1);
  CHECK(waiting["waiting_for"] == "group night runs 2 of at most 2 jobs");
  CHECK(group_named(daemon, "night") == json{{"name", "night"}, {"queued", 2}, {"running", 2}, {"parallel", 2}, {"paused", false}});
  daemon.crash_and_start();
  const auto late = daemon.submit_script(wait, {{"group", "night"}}), free = daemon.submit_script("true");
  CHECK(daemon.finished(free)["status"] == "completed");
  CHECK(running(daemon) == std::set{night[0], night[1], other});
  CHECK(group_named(daemon, "night")["running"] == 2);
  daemon.post(path_of(night[1], "/suspend")); // gives its place to the next one
  eventually([&] { return running(daemon) == std::set{night[0], night[2], other}; });
  daemon.post(path_of(night[1], "/resume"));
  CHECK(daemon.get(path_of(night[1]))["waiting_for"] == "group night runs 2 of at most 2 jobs");
  CHECK(daemon.patch("/groups/night", {{"parallel", 0}})["parallel"] == 0);
  eventually([&] { return running(daemon).size() == 6; });
  std::ofstream(go) << "";
  for (const auto id : night)
    daemon.finished(id);
  daemon.finished(late);
  CHECK(daemon.get(path_of(night[0]))["status"] == "failed");
  CHECK(daemon.patch("/groups/night", {{"paused", true}})["paused"] == true);
  daemon.post(path_of(night[0], "/retry"));
  CHECK(daemon.get(path_of(night[0]))["waiting_for"] == "group night is paused");
  daemon.crash_and_start();
  CHECK(daemon.get(path_of(night[0]))["waiting_for"] == "group night is paused");
  daemon.finished(daemon.submit_script("true"));
  CHECK(daemon.get(path_of(night[0]))["status"] == "queued");
  daemon.patch("/groups/night", {{"paused", false}});
  daemon.finished(night[0]);
  CHECK(daemon.get("/groups")["groups"].empty());
}

TEST_CASE("the limit of a group holds at every moment of a busy day") {
  daemon_process daemon({}, 8);
  daemon.start();
  daemon.patch("/groups/few", {{"parallel", 3}});
  json jobs = json::array();
  for (int n = 0; n < 60; ++n)
    jobs.push_back({{"type", "command"}, {"group", "few"}, {"params", {{"argv", {"sh", "-c", counted_script(daemon)}}}}});
  const json made = daemon.post("/jobs", {{"jobs", jobs}});
  for (const json& one : made["jobs"])
    CHECK(daemon.finished(one["id"])["status"] == "completed");
  std::ifstream log((daemon.directory() / "inside").string() + ".log");
  int lines = 0;
  for (int inside = 0; log >> inside; ++lines)
    CHECK(inside <= 3);
  CHECK(lines == 60);
}

TEST_CASE("a batch takes no more jobs of a group than there is room for") {
  daemon_process daemon(
      "[job_types.pair]\ncommand = [\"sh\", \"-c\", \"while ! test -e {config_dir}/go; do sleep 0.02; done\"]\nslots = 1\n"
      "[job_types.pair.batch]\nmax_items = 8\n",
      4);
  daemon.start();
  daemon.patch("/groups/night", {{"parallel", 2}});
  daemon.post("/queue/pause");
  std::vector<std::int64_t> night;
  for (int n = 0; n < 5; ++n)
    night.push_back(daemon.post("/jobs", {{"type", "pair"}, {"group", "night"}})["id"]);
  const std::int64_t free = daemon.post("/jobs", {{"type", "pair"}})["id"];
  daemon.post("/queue/unpause");
  eventually([&] { return running(daemon) == std::set{night[0], night[1], free}; });
  CHECK(group_named(daemon, "night")["running"] == 2);
  std::ofstream(daemon.directory() / "go") << "";
  for (const auto id : night)
    CHECK(daemon.finished(id)["status"] == "completed");
}

TEST_CASE("while a job with a unique key is queued or running there is no second one") {
  daemon_process daemon({}, 1);
  daemon.start();
  const auto go = (daemon.directory() / "go").string();
  const auto wait = "while ! test -e " + go + "; do sleep 0.02; done";
  const json keyed = {{"type", "command"}, {"params", {{"argv", {"sh", "-c", wait}}}}, {"unique_key", "nightly"}};
  const json first = daemon.post("/jobs", keyed);
  CHECK_FALSE(first.contains("existing"));
  const json second = daemon.post("/jobs", keyed);
  CHECK(second["id"] == first["id"]);
  CHECK(second["existing"] == true);
  daemon.crash_and_start();
  CHECK(daemon.post("/jobs", keyed)["id"] == first["id"]);
  json other = keyed;
  other["unique_key"] = "weekly";
  const json bulk = daemon.post("/jobs", {{"jobs", {other, keyed, other}}})["jobs"];
  CHECK(bulk[1]["id"] == first["id"]);
  CHECK(bulk[2]["id"] == bulk[0]["id"]);
  CHECK(bulk[2]["existing"] == true);
  CHECK_FALSE(bulk[0].contains("existing"));
  CHECK(daemon.get(path_of(bulk[0]["id"]))["unique_key"] == "weekly");
  std::ofstream(go) << "";
  daemon.finished(first["id"]);
  daemon.finished(bulk[0]["id"]);
  std::filesystem::remove(go);
  const json next = daemon.post("/jobs", keyed); // the key is free again
  CHECK_FALSE(next.contains("existing"));
  daemon.post(path_of(next["id"], "/cancel"));
  daemon.finished(next["id"]);
  const json third = daemon.post("/jobs", keyed);
  CHECK_FALSE(third.contains("existing"));
  CHECK(daemon.refused("POST", path_of(next["id"], "/retry")).what == "job " + next["id"].dump() + " cannot be retried: job " +
                                                                          third["id"].dump() +
                                                                          " has the same unique key and has not ended");
  std::ofstream(go) << "";
  daemon.finished(third["id"]);
  daemon.post(path_of(next["id"], "/retry"));
  CHECK(daemon.post("/jobs", keyed).contains("id"));
  daemon.finished(next["id"]);
}

TEST_CASE("many clients with one unique key make one job, through kill -9 of the daemon") {
  daemon_process daemon({}, 1);
  daemon.start();
  daemon.post("/queue/pause");
  std::vector<std::vector<std::int64_t>> answered(6);
  std::vector<std::thread> clients;
  std::atomic<int> answers = 0;
  for (std::size_t c = 0; c < answered.size(); ++c)
    clients.emplace_back([&, c] {
      auto client = daemon.connect();
      client->set_patience(std::chrono::seconds(60));
      for (int n = 0; n < 20; ++n) {
        const json body = {{"type", "command"}, {"params", {{"argv", {"true"}}}}, {"unique_key", "key " + std::to_string(n)}};
        const auto answer = client->send({"POST", "/jobs", body.dump(), std::to_string(c) + "/" + std::to_string(n)});
        if (answer)
          answered[c].push_back(json::parse(answer->body).at("id"));
        ++answers;
      }
    });
  for (const int enough : {20, 60}) {
    eventually([&] { return answers >= enough; });
    daemon.crash_and_start();
  }
  for (auto& client : clients)
    client.join();
  for (const auto& ids : answered)
    CHECK(ids == answered[0]);
  CHECK(answered[0].size() == 20);
  CHECK(daemon.get("/status")["counts"]["queued"] == 20);
}

TEST_CASE("groups and unique keys from the command line, and what is refused") {
  daemon_process daemon;
  daemon.start();
  const auto socket = "FERRY_SOCKET=" + daemon.socket().string();
  const auto ferry = [&](std::vector<std::string> words) {
    words.insert(words.begin(), FERRY_PROGRAM);
    return run_program(words, {socket});
  };
  CHECK(ferry({"group"}).output == "no groups\n");
  CHECK(ferry({"group", "night", "--parallel", "2", "--pause"}).output ==
        "group night is paused; at most 2 jobs at once; 0 running, 0 queued\n");
  CHECK(ferry({"submit", "--group", "night", "--unique", "n", "command", "--", "true"}).status == 0);
  CHECK(ferry({"submit", "--group", "night", "--unique", "n", "command", "--", "true"}).output ==
        "job 1 is it already, at position 1\n");
  CHECK(ferry({"group"}).output.find("night") != std::string::npos);
  CHECK(ferry({"group", "--quiet"}).output == "night\n");
  CHECK(ferry({"group", "day"}).status == 5);
  CHECK(ferry({"show", "1"}).output.find("group night is paused") != std::string::npos);
  CHECK(ferry({"group", "night", "--unpause"}).output.starts_with("group night runs at most 2 jobs at once; "));
  CHECK(ferry({"wait", "1"}).status == 0);
  const auto refused = [&](const json& more) {
    json job = {{"type", "command"}, {"params", {{"argv", {"true"}}}}};
    job.update(more);
    return daemon.refused("POST", "/jobs", job.dump()).problems.at(0);
  };
  CHECK(refused({{"group", "a/b"}}).where == "/group");
  CHECK(refused({{"unique_key", std::string(201, 'x')}}).what == "unique_key takes 201 bytes; at most 200 are allowed");
  CHECK(daemon.refused("PATCH", "/groups/night", R"({"parallel":-1})").what ==
        "parallel must be from 0 (no limit) to 100000, is -1");
  CHECK(daemon.refused("PATCH", "/groups/night", R"({"paralel":1})").problems.at(0).hint == "did you mean parallel?");
}
