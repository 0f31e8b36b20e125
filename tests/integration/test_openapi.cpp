// The daemon does what its OpenAPI document says.
#include "tests/integration/described_api.hpp"
#include "tests/integration/known_node.hpp"

using namespace ferry;
using namespace ferry::tests;

namespace {

using names = std::set<std::string>;

// Jobs in every state, a type whose jobs tell how far they are, and a node that is away.
struct busy_daemon {
  daemon_process daemon{R"([job_types.steps]
description = "counts"
command = ["sh", "-c", '''
  echo '{{"type":"progress","step":3,"total":4,"message":"so far","metrics":{{"loss":0.5,"worst":"inf"}}}}' >> "$FERRY_EVENTS"
  echo counting
  sleep 600
''']
max_run_time = "1000s"
[job_types.steps.parameters]
type = "object"
[job_types.steps.parameters.properties.many]
type = "integer"
)",
                        3};
  std::int64_t completed = 0, failed = 0, cancelled = 0, running = 0, queued = 0, held = 0, waiting = 0;

  busy_daemon() {
    enter_node(daemon, "alpha");
    daemon.start();
    completed = daemon.submit_script("echo done; echo 1 > made.txt", {{"user", "ada"}, {"priority", 60}});
    daemon.finished(completed);
    failed = daemon.submit_script("exit 3", {{"name", "fails"}});
    daemon.finished(failed);
    running = daemon.post("/jobs", {{"type", "steps"}, {"group", "film"}})["id"];
    eventually([&] { return daemon.get(job(running))["progress"]["step"] == 3; });
    daemon.post("/queue/pause");
    cancelled = daemon.submit_script("true");
    daemon.post(job(cancelled) + "/cancel");
    queued = daemon.submit_script("true", {{"group", "film"}, {"unique_key", "one"}, {"user", "ada"}});
    held = daemon.submit_script("true", {{"held", true}, {"delay_seconds", 60}});
    waiting = daemon.submit_script("true", {{"needs", {queued}}, {"on_needs_failure", "cancel"}});
    daemon.post("/job-types/steps/hold", {{"reason", "for a test"}});
  }
  [[nodiscard]] static std::string job(std::int64_t id) { return "/jobs/" + std::to_string(id); }
};

// The operations with one of these methods.
names offered(const described_api& api, const names& methods) {
  names ids;
  for (const auto& one : api.operations())
    if (methods.contains(one.method))
      ids.insert(one.id());
  return ids;
}

} // namespace

TEST_CASE("what the daemon tells is what its document says") {
  busy_daemon busy;
  described_api api(busy.daemon);
  busy.daemon.post("/tokens", {{"name", "ada"}, {"role", "submit"}});
  for (const std::string path :
       {"/session", "/tokens", "/status", "/queue", "/queue?offset=1&limit=2", "/jobs",
        "/jobs?status=failed,queued&type=command&name=a&before=100&limit=10&cleared=true", "/batches?limit=3", "/statistics",
        "/statistics/history", "/statistics/history?bucket=day&buckets=2&utc_offset_minutes=60", "/statistics/failures?limit=3",
        "/groups", "/job-types", "/openapi.json"})
    api.succeed("GET", path);
  for (const auto id : {busy.completed, busy.failed, busy.cancelled, busy.running, busy.queued, busy.held, busy.waiting}) {
    const auto job = api.succeed("GET", busy.job(id) + "?wait=1");
    CHECK(job["id"] == id);
    CHECK(api.succeed("GET", busy.job(id) + "/history")["history"] == job["history"]);
    api.succeed("GET", busy.job(id) + "/log?offset=-4&limit=100&wait=1");
    api.succeed("GET", busy.job(id) + "/explanation");
  }
  CHECK(api.succeed("GET", busy.job(busy.running))["progress"]["metrics"]["worst"] == "inf");
  CHECK(api.succeed("GET", busy.job(busy.failed))["failure"]["exit_status"] == 3);
  CHECK(api.succeed("GET", "/batches")["next"].size() > 0);
  CHECK(api.succeed("GET", "/nodes")["nodes"].size() == 1);

  CHECK(api.succeed("GET", busy.job(busy.completed) + "/artifacts")["artifacts"].size() == 1);
  CHECK(api.ask("GET", busy.job(busy.completed) + "/artifacts?archive=tar").status == 200);
  CHECK(api.ask("GET", busy.job(busy.completed) + "/artifacts/made.txt").body == "1\n");
  CHECK(api.ask("GET", busy.job(busy.completed) + "/artifacts/made.txt", {}, {"Range: bytes=0-0"}).status == 206);
  CHECK(api.ask("GET", busy.job(busy.completed) + "/artifacts/made.txt", {}, {"Range: bytes=9-"}).status == 416);
  CHECK(api.succeed("GET", busy.job(busy.running) + "/metrics?points=10")["series"].size() == 2);
  CHECK(busy.daemon.post("/datasets", {{"name", "cats"}})["name"] == "cats");
  const auto upload =
      busy.daemon.post("/uploads", {{"name", "cat.txt"}, {"bytes", 4}, {"dataset", "cats"}})["upload"].get<std::string>();
  CHECK(api.succeed("GET", "/uploads/" + upload)["offset"] == 0);
  CHECK(api.ask("PATCH", "/uploads/" + upload, "purr", {"Upload-Offset: 1"}).status == 409);
  CHECK(api.ask("PATCH", "/uploads/" + upload, "purr", {"Upload-Offset: 0"}).status == 200);
  CHECK(api.succeed("GET", "/uploads/" + upload)["offset"] == 4);
  CHECK(api.succeed("GET", "/datasets")["datasets"].size() == 1);
  CHECK(api.succeed("GET", "/datasets/cats?offset=0&limit=10")["total"] == 1);
  CHECK(api.ask("GET", "/datasets/cats/files/cat.txt").body == "purr");
  names asked;
  for (const auto& id : api.asked())
    if (offered(api, {"GET"}).contains(id))
      asked.insert(id);
  asked.insert("follow_events"); // below
  CHECK(asked == offered(api, {"GET"}));
}

TEST_CASE("what the daemon is told to do, and what it answers, is what its document says") {
  busy_daemon busy;
  described_api api(busy.daemon);
  const auto script = [](const std::string& line) { return json{{"argv", {"sh", "-c", line}}}; };
  const json many = {
      {"jobs", {{{"type", "command"}, {"params", script("true")}}, {{"type", "command"}, {"params", script("false")}}}},
      {"base_dir", "/tmp"}};
  const auto id = api.succeed("POST", "/jobs",
                              {{"type", "command"},
                               {"params", script("true")},
                               {"priority", 70},
                               {"name", "one"},
                               {"held", false},
                               {"delay_seconds", 1},
                               {"base_dir", "/tmp"},
                               {"needs", {busy.queued}},
                               {"on_needs_failure", "start"},
                               {"group", "film"},
                               {"unique_key", "two"},
                               {"user", "eve"}})["id"]
                      .get<std::int64_t>();
  const json again = {{"type", "command"}, {"params", script("true")}, {"unique_key", "two"}};
  const auto existing = api.succeed("POST", "/jobs", again);
  CHECK(existing["existing"] == true);
  CHECK(existing["id"] == id);
  auto tried = again;
  tried["dry_run"] = true;
  CHECK(api.succeed("POST", "/jobs", tried)["dry_run"] == true);
  const auto two = api.succeed("POST", "/jobs", many)["jobs"];
  REQUIRE(two.size() == 2);
  const auto first = busy.job(two[0]["id"]), queued = busy.job(busy.queued);
  CHECK(api.succeed("PATCH", first, {{"priority", 80}, {"name", "new"}, {"params", script("exit 0")}, {"base_dir", "/"}})["name"] ==
        "new");
  CHECK(api.succeed("PATCH", first, {{"priority", 1}, {"dry_run", true}})["changes"].is_array());
  CHECK(api.succeed("POST", queued + "/move", {{"position", 2}})["id"] == busy.queued);
  CHECK(api.succeed("POST", queued + "/move", {{"position", "bottom"}, {"dry_run", true}})["dry_run"] == true);
  CHECK(api.succeed("POST", first + "/hold")["held"] == true);
  CHECK(api.succeed("POST", first + "/release")["held"] == false);
  CHECK(api.succeed("POST", first + "/suspend")["held_for"] == "suspended");
  CHECK(api.succeed("POST", first + "/resume")["held"] == false);
  CHECK(api.succeed("POST", busy.job(busy.failed) + "/resume", {{"as_new", true}})["id"] > busy.failed);
  CHECK(api.succeed("POST", busy.job(busy.failed) + "/retry", {{"from_scratch", true}})["status"] == "queued");
  CHECK(api.succeed("POST", first + "/cancel", {{"only_if", "queued"}})["status"] == "cancelled");

  CHECK(api.succeed("POST", "/queue/suspend")["suspended"] == 1);
  eventually([&] { return busy.daemon.get(busy.job(busy.running))["status"] == "queued"; });
  CHECK(api.succeed("POST", "/queue/resume")["released"] == 1);
  CHECK(api.succeed("POST", "/queue/pause")["paused"] == true);
  CHECK(api.succeed("POST", "/queue/unpause")["paused"] == false);
  CHECK(api.succeed("POST", "/queue/clear",
                    {{"status", {"completed", "cancelled"}}, {"types", {"steps"}}, {"older_than_seconds", 0}})["cleared"] == 0);
  CHECK(api.succeed("POST", "/queue/clear", {{"ids", {busy.completed}}})["cleared"] == 1);
  CHECK(api.succeed("PATCH", "/groups/film", {{"parallel", 2}, {"paused", true}})["paused"] == true);
  CHECK(api.succeed("POST", "/job-types/command/hold", {{"reason", "why not"}})["held"] == true);
  CHECK(api.succeed("POST", "/job-types/command/release")["held"] == false);
  CHECK(api.succeed("POST", "/tokens", {{"name", "ada"}, {"role", "read"}})["token"].get<std::string>().size() == 64);
  CHECK(api.succeed("DELETE", "/tokens/ada")["removed"] == true);

  CHECK(api.succeed("POST", "/datasets", {{"name", "cats"}})["name"] == "cats");
  const auto upload = "/uploads/" + api.succeed("POST", "/uploads",
                                                {{"name", "a.txt"}, {"bytes", 4}, {"dataset", "cats"}, {"path", "b.txt"}})["upload"]
                                        .get<std::string>();
  CHECK(api.ask("PATCH", upload, "pu", {"Upload-Offset: 0"}).status == 200);
  CHECK(api.ask("PATCH", upload, "rr", {"Upload-Offset: 2"}).status == 200);
  const auto other = api.succeed("POST", "/uploads", {{"name", "a.txt"}, {"bytes", 4}})["upload"].get<std::string>();
  CHECK(api.succeed("DELETE", "/uploads/" + other)["removed"] == true);
  CHECK(api.succeed("DELETE", "/datasets/cats/files/b.txt")["removed"] == true);
  CHECK(api.succeed("DELETE", "/datasets/cats")["removed"] == true);

  CHECK(api.succeed("POST", "/nodes/alpha/drain")["drained"] == true);
  CHECK(api.succeed("POST", "/nodes/alpha/resume")["drained"] == false);
  CHECK(api.succeed("DELETE", "/nodes/alpha?force=false")["removed"] == true); // the last: for a moment the daemon is not ready
  CHECK(api.asked() == offered(api, {"POST", "PATCH", "DELETE"}));
}

TEST_CASE("errors have the one form of the document, and a status that it names") {
  busy_daemon busy;
  described_api api(busy.daemon);
  CHECK(api.ask("GET", "/jobs/99999").status == 404);
  CHECK(api.ask("GET", "/jobs/first").status == 400);
  CHECK(api.ask("GET", "/jobs?limit=0").status == 400);
  CHECK(api.ask("GET", "/jobs?colour=red").status == 400);
  CHECK(api.ask("POST", "/jobs", "{").status == 400);
  CHECK(api.ask("POST", "/jobs", R"({"type":"command","params":{"argv":[]},"priority":101})").status == 400);
  CHECK(api.ask("PATCH", busy.job(busy.queued), json{{"name", std::string(201, 'n')}}.dump()).status == 413);
  CHECK(api.ask("POST", busy.job(busy.completed) + "/cancel").status == 409);
  CHECK(api.ask("POST", busy.job(busy.completed) + "/hold").status == 409);
  CHECK(api.ask("POST", busy.job(busy.running) + "/retry").status == 409);
  CHECK(api.ask("POST", "/job-types/nothing/hold").status == 404);
  CHECK(api.ask("DELETE", "/tokens/nobody").status == 404);
  CHECK(api.ask("POST", "/nodes/nobody/drain").status == 404);
  CHECK(api.ask("POST", "/nodes/nobody/resume").status == 404);
  CHECK(api.ask("DELETE", "/nodes/nobody").status == 404);
  CHECK(api.ask("DELETE", "/nodes/alpha?force=1").status == 400);
  CHECK(api.ask("PATCH", "/groups/film", R"({"parallel":-1})").status == 400);
}

TEST_CASE("requests take the fields of the document and no other") {
  busy_daemon busy;
  described_api api(busy.daemon);
  std::size_t bodies = 0;
  for (const auto& one : api.operations()) {
    if (!one.what.contains("requestBody") || !one.what["requestBody"]["content"].contains("application/json"))
      continue;
    const json schema = api.expanded(one.what["requestBody"]["content"]["application/json"]["schema"], false);
    for (const json& choice : schema.contains("oneOf") ? schema["oneOf"] : json::array({schema})) {
      ++bodies;
      json body = {{"no_such_field", 1}};
      for (const auto& [name, property] : choice["properties"].items())
        body[name] = nullptr;
      auto target = one.path;
      if (const auto at = target.find('{'); at != target.npos)
        target.replace(at, target.find('}') + 1 - at, "99999");
      const auto answer = api.ask(one.method, target, body.dump());
      INFO(one.id() << " " << body << " " << answer.body);
      names unknown;
      REQUIRE(answer.status == 400);
      for (const json said = json::parse(answer.body); const json& problem : said["error"]["problems"])
        unknown.insert(problem["where"].get<std::string>());
      CHECK(unknown == names{"/no_such_field"});
    }
  }
  CHECK(bodies > 8);
}

TEST_CASE("queries take the parameters of the document") {
  busy_daemon busy;
  described_api api(busy.daemon);
  std::size_t parameters = 0;
  for (const auto& one : api.operations()) {
    for (const json& listed : one.what.value("parameters", json::array())) {
      const json& parameter = api.resolved(listed);
      if (parameter["in"] != "query")
        continue;
      ++parameters;
      const auto name = parameter["name"].get<std::string>();
      auto target = one.path;
      for (auto at = target.find('{'); at != target.npos; at = target.find('{'))
        target.replace(at, target.find('}') + 1 - at, std::to_string(busy.completed));
      // The first one in the order of letters that is not known is named.
      const auto answer = api.ask(one.method, target + "?" + name + "=1&zz_no_such=1");
      INFO(one.id() << " " << name << " " << answer.status << " " << answer.body);
      CHECK(answer.status == 400);
      const auto said = json::parse(answer.body)["error"]["message"].get<std::string>();
      CHECK(said == "'zz_no_such' is not a known query parameter");
    }
  }
  CHECK(parameters > 10);
}

TEST_CASE("events are those of the document") {
  busy_daemon busy;
  described_api api(busy.daemon);
  const auto operation = api.find("GET", "/events");
  const json& media = operation.what["responses"]["200"]["content"]["text/event-stream"];
  names met;
  const auto meet = [&](const server_event& event) {
    INFO(event.name << " " << event.data);
    REQUIRE(media["x-ferry-events"].contains(event.name));
    CHECK(api.misfit(media["x-ferry-events"][event.name], event.data, true) == "");
    met.insert(event.name);
  };
  event_reader all{raw_connection(busy.daemon.socket()), {}, "1-1"};
  CHECK(all.head().find("Content-Type: text/event-stream") != std::string::npos);
  event_reader one{raw_connection(busy.daemon.socket()), "?job=" + std::to_string(busy.running) + "&log=1"};
  meet(one.next("log"));
  meet(all.next("hello"));
  meet(all.next("resync"));
  meet(all.next("queue"));
  busy.daemon.post(busy.job(busy.queued) + "/hold");
  meet(all.next("job"));
  busy.daemon.post("/job-types/steps/release");
  busy.daemon.post("/jobs", {{"type", "steps"}, {"priority", 100}});
  busy.daemon.post("/queue/unpause");
  meet(all.next("progress"));
  names described;
  for (const auto& [name, schema] : media["x-ferry-events"].items())
    described.insert(name);
  CHECK(met == described);
}

TEST_CASE("outside of the prefix there is what the document has there") {
  busy_daemon busy;
  for (const std::string path : {"/healthz", "/readyz", "/metrics"}) {
    INFO(path);
    const auto answer = raw_connection(busy.daemon.socket()).ask("GET", path);
    CHECK(answer.status == 200);
    CHECK(answer.header("Content-Type").starts_with("text/plain"));
  }
}
