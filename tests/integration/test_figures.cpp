// What the API counts and foresees, and what it does under a condition.
#include "tests/integration/daemon_process.hpp"

using namespace ferry;
using ferry::tests::daemon_process;
using ferry::tests::eventually;

namespace {

std::string path_of(std::int64_t id, const char* action = "") { return "/jobs/" + std::to_string(id) + action; }

} // namespace

TEST_CASE("jobs are counted by hour and day, and failures by their reason") {
  daemon_process daemon;
  daemon.start();
  for (int i = 0; i < 2; ++i)
    CHECK(daemon.finished(daemon.submit_script("exit 3"))["status"] == "failed");
  CHECK(daemon.finished(daemon.submit_script("true"))["status"] == "completed");
  for (const char* bucket : {"hour", "day"}) {
    const json counted = daemon.get(std::string("/statistics/history?bucket=") + bucket + "&buckets=3");
    CAPTURE(counted.dump());
    CHECK(counted["is_whole"] == true);
    int submitted = 0, failed = 0, completed = 0; // in one bucket, or in two where the hour has just passed
    for (const json& row : counted["rows"]) {
      CHECK(row["type"] == "command");
      submitted += row["submitted"].get<int>();
      failed += row["failed"].get<int>();
      completed += row["completed"].get<int>();
    }
    CHECK(submitted == 3);
    CHECK(failed == 2);
    CHECK(completed == 1);
  }
  const json why = daemon.get("/statistics/failures")["failures"];
  REQUIRE(why.size() == 1);
  CHECK(why[0]["jobs"] == 2);
  CHECK(why[0]["kind"] == "exit_status");
  CHECK(daemon.refused("GET", "/statistics/history?bucket=week").code == error_code::invalid_argument);
  CHECK(daemon.refused("GET", "/statistics/history?buckets=0").code == error_code::invalid_argument);
}

TEST_CASE("a submit that is only tried says what it would get, and leaves no trace") {
  daemon_process daemon({}, 1);
  daemon.start();
  daemon.post("/queue/pause");
  const auto first = daemon.submit_script("true"), second = daemon.submit_script("true");
  const json job{{"type", "command"}, {"params", {{"argv", {"true"}}}}};
  const auto tried = [&](json fields) {
    json body = job;
    body["dry_run"] = true;
    body.update(fields);
    return daemon.post("/jobs", body);
  };
  CHECK(tried(json::object())["position"] == 3);
  CHECK(tried({{"priority", 90}})["position"] == 1);
  CHECK(tried({{"held", true}})["position"].is_null());
  CHECK(tried({{"needs", {first}}})["position"].is_null());
  CHECK(daemon.refused("POST", "/jobs", json{{"type", "command"}, {"dry_run", true}}.dump()).code == error_code::invalid_argument);
  CHECK(daemon.refused("POST", "/jobs", json{{"jobs", {job}}, {"dry_run", true}}.dump()).code == error_code::invalid_argument);
  CHECK(daemon.get("/queue")["jobs"].size() == 2);
  CHECK(daemon.get("/jobs?status=queued")["jobs"].size() == 2);
  CHECK(daemon.submit_script("true") == second + 1); // no number was used
  daemon.post("/queue/unpause");
  daemon.finished(second + 1);
  CHECK(tried(json::object())["position"] == 1);
}

TEST_CASE("a job that runs by now is not cancelled by an order that was meant for a queued one") {
  daemon_process daemon({}, 1);
  daemon.start();
  const auto id = daemon.submit_script("while ! test -e go; do sleep 0.01; done");
  eventually([&] { return daemon.get(path_of(id))["status"] == "running"; });
  const auto refused = daemon.refused("POST", path_of(id, "/cancel"), R"({"only_if": "queued"})");
  CHECK(refused.code == error_code::conflict);
  CHECK(daemon.get(path_of(id))["status"] == "running");
  const auto waiting = daemon.submit_script("true");
  CHECK(daemon.post(path_of(waiting, "/cancel"), {{"only_if", "queued"}})["status"] == "cancelled");
  CHECK(daemon.refused("POST", path_of(id, "/cancel"), R"({"only_if": "idle"})").code == error_code::invalid_argument);
  daemon.post(path_of(id, "/cancel"));
  CHECK(daemon.finished(id)["status"] == "cancelled");
}

TEST_CASE("a clear can be limited to types, to age, or to certain jobs") {
  daemon_process daemon("[job_types.other]\ncommand = [\"true\"]\n", 2);
  daemon.start();
  std::vector<std::int64_t> ids;
  for (int i = 0; i < 3; ++i)
    ids.push_back(daemon.submit_script("true"));
  const std::int64_t other = daemon.post("/jobs", {{"type", "other"}})["id"];
  const auto runs = daemon.submit_script("while ! test -e go; do sleep 0.01; done");
  for (const auto id : ids)
    daemon.finished(id);
  daemon.finished(other);
  const auto listed = [&] { return daemon.get("/jobs?status=completed")["jobs"].size(); };
  CHECK(daemon.post("/queue/clear", {{"older_than_seconds", 3'600}})["cleared"] == 0);
  CHECK(daemon.post("/queue/clear", {{"types", {"other"}}})["cleared"] == 1);
  CHECK(listed() == 3);
  CHECK(daemon.refused("POST", "/queue/clear", json{{"ids", {ids[0], runs}}}.dump()).code == error_code::conflict);
  CHECK(daemon.refused("POST", "/queue/clear", json{{"ids", {ids[0], 999}}}.dump()).code == error_code::not_found);
  CHECK(daemon.refused("POST", "/queue/clear", json{{"ids", json::array()}}.dump()).code == error_code::invalid_argument);
  CHECK(daemon.refused("POST", "/queue/clear", json{{"types", {"nothing"}}}.dump()).code == error_code::invalid_argument);
  CHECK(listed() == 3);
  CHECK(daemon.post("/queue/clear", {{"ids", {ids[0]}}})["cleared"] == 1);
  CHECK(daemon.post("/queue/clear", {{"older_than_seconds", 0}})["cleared"] == 2);
  CHECK(listed() == 0);
  daemon.post(path_of(runs, "/cancel"));
}
