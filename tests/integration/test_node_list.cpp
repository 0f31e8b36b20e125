// What users see of nodes and do with them; of nodes that have joined once and are away.
#include "tests/integration/known_node.hpp"
#include "tests/integration/raw_http.hpp"

using namespace ferry;
using namespace ferry::tests;

namespace {

program_end run_ferry(const daemon_process& daemon, std::vector<std::string> words) {
  words.insert(words.begin(), FERRY_PROGRAM);
  return run_program(words, {"FERRY_SOCKET=" + daemon.socket().string()});
}

json delete_(daemon_process& daemon, const std::string& path) {
  const auto answer = daemon.connect()->send({.method = "DELETE", .path = path});
  INFO((answer ? "" : to_string(answer.error())));
  REQUIRE(answer);
  return json::parse(answer->body);
}

std::vector<std::string> device_ids(daemon_process& daemon) {
  std::vector<std::string> ids;
  for (const json status = daemon.get("/status"); const json& device : status["devices"])
    ids.push_back(device["id"]);
  return ids;
}

} // namespace

TEST_CASE("a daemon without nodes lists none, and knows none") {
  daemon_process daemon;
  daemon.start();
  CHECK(daemon.get("/nodes") == json{{"nodes", json::array()}});
  for (const auto& [method, path] : std::vector<std::pair<std::string, std::string>>{{"POST", "/nodes/alpha/drain"},
                                                                                     {"POST", "/nodes/alpha/resume"},
                                                                                     {"DELETE", "/nodes/alpha"},
                                                                                     {"DELETE", "/nodes/alpha?force=true"}}) {
    INFO(method << " " << path);
    const auto e = daemon.refused(method, path);
    CHECK(e.code == error_code::not_found);
    CHECK(e.what == "there is no node 'alpha'");
  }
  CHECK(daemon.refused("DELETE", "/nodes/alpha?force=perhaps").code == error_code::invalid_argument);
  CHECK(daemon.refused("POST", "/nodes/alpha/drain?force=true").code == error_code::invalid_argument);
  CHECK(daemon.refused("POST", "/nodes/alpha/drain", R"({"why":"not"})").code == error_code::invalid_argument);
  const auto shown = run_ferry(daemon, {"nodes"});
  CHECK(shown.status == 0);
  CHECK(shown.output.starts_with("no nodes: "));
  CHECK(run_ferry(daemon, {"node", "drain", "alpha"}).status == 5);
  const auto first = raw_connection(daemon.socket()).ask("GET", "/api/v1/nodes");
  const auto again = raw_connection(daemon.socket()).ask("GET", "/api/v1/nodes", {"If-None-Match: " + first.header("ETag")});
  CHECK(again.status == 304);
}

TEST_CASE("a node that is away is listed, drained over restarts, and removed with its devices") {
  daemon_process daemon;
  enter_node(daemon, "alpha");
  enter_node(daemon, "beta");
  daemon.start();
  CHECK(device_ids(daemon) == std::vector<std::string>{"cpu", "alpha:cpu", "beta:cpu"});
  const json alpha = daemon.get("/nodes")["nodes"][0];
  CHECK(alpha["name"] == "alpha");
  CHECK(alpha["connected"] == false);
  CHECK(alpha["drained"] == false);
  CHECK(alpha["trouble"] == "node alpha is not connected");
  CHECK(alpha["heard"] == nullptr);
  CHECK(alpha["lease_ends"] == nullptr);
  CHECK(
      alpha["devices"] ==
      json::array(
          {{{"id", "cpu"}, {"kind", "cpu"}, {"name", "8 cores"}, {"slots", 4}, {"memory_mib", 2000}, {"labels", json::object()}}}));
  CHECK(alpha["runs"] == json::array());

  CHECK(daemon.post("/nodes/alpha/drain") == json{{"name", "alpha"}, {"drained", true}});
  CHECK(daemon.get("/nodes")["nodes"][0]["drained"] == true);
  daemon.crash_and_start();
  CHECK(daemon.get("/nodes")["nodes"][0]["drained"] == true);
  CHECK(run_ferry(daemon, {"nodes"}).output.find("away, drained") != std::string::npos);
  CHECK(run_ferry(daemon, {"node", "resume", "alpha"}).output == "node alpha takes work again\n");
  CHECK(daemon.get("/nodes")["nodes"][0]["drained"] == false);

  const auto id = daemon.submit_script("true");
  CHECK(delete_(daemon, "/nodes/alpha?force=false") == json{{"name", "alpha"}, {"removed", true}});
  CHECK(run_ferry(daemon, {"node", "remove", "beta"}).output == "node beta is removed\n");
  CHECK(run_ferry(daemon, {"nodes", "-q"}).output.empty());
  eventually([&] {
    const auto status = daemon.connect()->send({"GET", "/status"});
    return status && json::parse(status->body)["devices"].size() == 1;
  });
  CHECK(daemon.finished(id)["status"] == "completed");
}

TEST_CASE("nodes are for admins to change, and for all to see") {
  daemon_process daemon({}, 2, "tcp.listen = \"127.0.0.1:0\"\n");
  enter_node(daemon, "alpha");
  daemon.start();
  const auto token = [&](const char* name, const char* role) {
    return daemon.post("/tokens", {{"name", name}, {"role", role}})["token"].get<std::string>();
  };
  const auto http = daemon.get("/status")["http"];
  const auto address = http["address"].get<std::string>();
  const auto port = std::stoi(address.substr(address.rfind(':') + 1));
  const auto ask = [&](const std::string& bearer, const char* method, const char* path) {
    return raw_connection(port).ask(method, std::string("/api/v1") + path, {"Authorization: Bearer " + bearer}).status;
  };
  for (const char* role : {"read", "submit"}) {
    INFO(role);
    const auto bearer = token(role, role);
    CHECK(ask(bearer, "GET", "/nodes") == 200);
    CHECK(ask(bearer, "POST", "/nodes/alpha/drain") == 403);
    CHECK(ask(bearer, "POST", "/nodes/alpha/resume") == 403);
    CHECK(ask(bearer, "DELETE", "/nodes/alpha") == 403);
  }
  CHECK(ask(token("root", "admin"), "POST", "/nodes/alpha/drain") == 200);
}
