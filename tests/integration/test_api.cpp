// The API beyond the life of one job: idempotency, bulk, paging, logs that grow, TCP with its token.
#include "tests/integration/daemon_process.hpp"
#include "tests/integration/raw_http.hpp"

#include <algorithm>
#include <fstream>

using namespace ferry;
using ferry::tests::daemon_process;

TEST_CASE("a repeated request with an idempotency key answers with the jobs of the first") {
  daemon_process daemon;
  daemon.start();
  const auto body = R"({"type":"command","params":{"argv":["true"]}})";
  const auto once = daemon.connect()->send({"POST", "/jobs", body, "key"});
  const auto again = daemon.connect()->send({"POST", "/jobs", body, "key"});
  REQUIRE(once);
  REQUIRE(again);
  CHECK(json::parse(once->body)["id"] == json::parse(again->body)["id"]);
  const auto other = daemon.connect()->send({"POST", "/jobs", R"({"type":"command","params":{"argv":["false"]}})", "key"});
  REQUIRE_FALSE(other);
  CHECK(other.error().code == error_code::conflict);
  daemon.crash_and_start();
  const auto after = daemon.connect()->send({"POST", "/jobs", body, "key"});
  REQUIRE(after);
  CHECK(json::parse(once->body)["id"] == json::parse(after->body)["id"]);
}

TEST_CASE("many jobs in one request are queued in their order, all or none") {
  daemon_process daemon;
  daemon.start();
  daemon.post("/queue/pause");
  json jobs = json::array();
  for (int n = 0; n < 1000; ++n)
    jobs.push_back({{"type", "command"}, {"params", {{"argv", {"echo", std::to_string(n)}}}}});
  const auto accepted = daemon.post("/jobs", {{"jobs", jobs}})["jobs"];
  REQUIRE(accepted.size() == 1000);
  for (std::size_t n = 0; n < accepted.size(); ++n) {
    CHECK(accepted[n]["id"] == n + 1);
    CHECK(accepted[n]["position"] == n + 1);
  }
  jobs[500]["priority"] = -1;
  CHECK(daemon.refused("POST", "/jobs", json{{"jobs", jobs}}.dump()).problems.at(0).where == "/jobs/500/priority");
  CHECK(daemon.get("/status")["counts"]["queued"] == 1000);
}

TEST_CASE("pages of the queue and of the history are complete and do not overlap") {
  daemon_process daemon;
  daemon.start();
  daemon.post("/queue/pause");
  for (int n = 0; n < 25; ++n)
    daemon.submit_script("true", {{"name", "job " + std::to_string(n)}});
  std::vector<std::int64_t> queue, history;
  for (int offset = 0; offset < 30; offset += 10)
    for (const auto page = daemon.get("/queue?limit=10&offset=" + std::to_string(offset)); const auto& job : page["jobs"])
      queue.push_back(job["id"]);
  json before = nullptr;
  do {
    const auto page = daemon.get("/jobs?limit=10" + (before.is_null() ? "" : "&before=" + before.dump()));
    for (const auto& job : page["jobs"])
      history.push_back(job["id"]);
    before = page["next_before"];
  } while (!before.is_null());
  CHECK(queue.size() == 25);
  CHECK(history.size() == 25);
  CHECK(std::is_sorted(queue.begin(), queue.end()));
  CHECK(std::is_sorted(history.rbegin(), history.rend()));
  CHECK(daemon.get("/jobs?name=job%201&limit=100")["jobs"].size() == 11);
  CHECK(daemon.get("/jobs?status=completed,failed")["jobs"].empty());
}

TEST_CASE("a log is read in pieces while it grows") {
  daemon_process daemon;
  daemon.start();
  const auto go = (daemon.directory() / "go").string();
  const auto id = daemon.submit_script("echo first; while ! test -e " + go + "; do sleep 0.02; done; echo second");
  const auto path = "/jobs/" + std::to_string(id) + "/log";
  const auto client = daemon.connect();
  const auto first = client->send({"GET", path + "?wait=60", {}, {}, std::chrono::seconds(60)});
  REQUIRE(first);
  CHECK(first->body == "first\n");
  CHECK_FALSE(first->log_complete);
  std::ofstream(go) << "";
  const auto second =
      client->send({"GET", path + "?wait=60&offset=" + std::to_string(first->log_next), {}, {}, std::chrono::seconds(60)});
  REQUIRE(second);
  CHECK(second->body == "second\n");
  daemon.finished(id);
  const auto tail = client->send({"GET", path + "?offset=-4"});
  REQUIRE(tail);
  CHECK(tail->body == "ond\n");
  CHECK(tail->log_complete);
}

TEST_CASE("an answer that the client has already is not sent again") {
  daemon_process daemon("[job_types.wait]\ncommand = [\"sleep\", \"9\"]\n", 1);
  daemon.start();
  ferry::tests::raw_connection connection(daemon.socket());
  const auto first = connection.ask("GET", "/api/v1/queue");
  const auto tag = first.header("ETag");
  REQUIRE(tag.starts_with("W/\""));
  const auto same = connection.ask("GET", "/api/v1/queue", {"If-None-Match: " + tag});
  CHECK(same.status == 304);
  CHECK(same.body.empty());
  CHECK(same.header("ETag") == tag);
  CHECK(connection.ask("GET", "/api/v1/queue", {"If-None-Match: \"other\", " + tag}).status == 304);
  daemon.post("/jobs", {{"type", "wait"}, {"held", true}});
  const auto changed = connection.ask("GET", "/api/v1/queue", {"If-None-Match: " + tag});
  CHECK(changed.status == 200);
  CHECK(changed.header("ETag") != tag);
  CHECK(json::parse(changed.body)["jobs"].size() == 1);
  CHECK(connection.ask("GET", "/api/v1/jobs/99", {"If-None-Match: *"}).status == 404);
}

TEST_CASE("status tells of devices, and job types of their parameters") {
  daemon_process daemon("[job_types.resize]\ndescription = \"makes it larger\"\ncommand = [\"true\"]\n", 3);
  daemon.start();
  const auto status = daemon.get("/status");
  CHECK(status["devices"][0]["id"] == "cpu");
  CHECK(status["devices"][0]["slots"] == 3);
  CHECK(status["data_dir"] == daemon.data().string());
  bool found = false;
  for (const auto types = daemon.get("/job-types"); const auto& type : types["job_types"])
    found = found || type["description"] == "makes it larger";
  CHECK(found);
}
