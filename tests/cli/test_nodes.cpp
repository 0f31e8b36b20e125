// The nodes of a daemon: how they are shown, and what is asked about them.
#include "cli/format.hpp"
#include "cli/node_views.hpp"
#include "ferry_process.hpp"
#include "scripted_daemon.hpp"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <ctime>

using namespace ferry;
using namespace ferry::cli;
using namespace ferry::cli::test;

namespace {

instant noon() {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  return *instant_from("2026-01-31T12:00:00.000Z");
}

json node(const char* name, const json& changes = json::object()) {
  json one = {{"name", name},
              {"version", "0.1.0"},
              {"address", "192.0.2.7"},
              {"connected", true},
              {"drained", false},
              {"trouble", nullptr},
              {"heard", "2026-01-31T11:59:58.000Z"},
              {"lease_ends", nullptr},
              {"devices", {{{"id", "cpu"}, {"kind", "cpu"}, {"name", "16 cores"}, {"slots", 4}, {"memory_mib", 1000}}}},
              {"runs", json::array()}};
  one.update(changes);
  return one;
}

json nodes(const json& all) { return {{"nodes", all}}; }

reply refused(int status, const char* code, const std::string& message) {
  return {.status = status,
          .body = json{{"error", {{"code", code}, {"message", message}, {"hint", ""}, {"problems", json::array()}}}}.dump()};
}

// Does what it is asked.
reply willing(const asked& what) {
  const std::string prefix = "/api/v1/nodes/";
  const auto rest = what.target.substr(prefix.size());
  const auto name = rest.substr(0, rest.find_first_of("/?"));
  if (what.method == "DELETE")
    return {.body = json{{"name", name}, {"removed", true}}.dump()};
  return {.body = json{{"name", name}, {"drained", what.target.ends_with("/drain")}}.dump()};
}

} // namespace

TEST_CASE("nodes are shown with their state, what they lend and what they run") {
  const json gpu = {{"id", "GPU-a"}, {"kind", "gpu"}, {"name", "NVIDIA H100"}, {"slots", 1}, {"memory_mib", 81920}};
  const json answer = nodes(json::array(
      {node("alpha", {{"devices", {gpu, gpu, node("")["devices"][0]}}, {"runs", {7, 8}}}),
       node("beta", {{"drained", true}, {"trouble", "node beta is drained"}, {"version", "0.2.0"}}),
       node("gamma", {{"trouble", "the GPU has fallen off the bus"}}),
       node("delta", {{"connected", false},
                      {"trouble", "node delta is not connected"},
                      {"heard", "2026-01-31T11:59:15.000Z"},
                      {"lease_ends", "2026-01-31T12:00:20.000Z"},
                      {"runs", {9}}}),
       node("eps", {{"connected", false}, {"drained", true}, {"trouble", "node eps is not connected"}, {"heard", nullptr}})}));
  CHECK(nodes_page(answer, {}, noon()) == "NAME   STATE           DEVICES                    RUNS  HEARD     VERSION\n"
                                          "alpha  connected       2 × NVIDIA H100, 16 cores     2  2 s ago   0.1.0\n"
                                          "beta   drained         16 cores                      0  2 s ago   0.2.0\n"
                                          "gamma  out of service  16 cores                      0  2 s ago   0.1.0\n"
                                          "delta  away            16 cores                      1  45 s ago  0.1.0\n"
                                          "eps    away, drained   16 cores                      0            0.1.0\n"
                                          "out of service: gamma: the GPU has fallen off the bus\n"
                                          "away: delta: 1 batch may run there until 12:00:20\n");
}

TEST_CASE("what an absent node has is not counted as running once its lease is over") {
  const auto page = nodes_page(nodes(json::array({node("alpha", {{"connected", false}, {"runs", {1, 2}}})})), {}, noon());
  CHECK(page.ends_with("away: alpha: 2 batches of it: what became of them is known once it is back\n"));
}

TEST_CASE("where there are no nodes ferry says how a machine becomes one") {
  scripted_daemon daemon([](const asked&) { return reply{.body = R"({"nodes":[]})"}; });
  const how h{.socket = daemon.socket()};
  const auto shown = run_ferry({"nodes"}, h);
  CHECK(shown.status == 0);
  CHECK(shown.out.starts_with("no nodes: "));
  CHECK(shown.out.find("`[node] join = \"HOST:PORT\"`") != std::string::npos);
  CHECK(run_ferry({"nodes", "--format", "json"}, h).out == "{\"nodes\":[]}\n");
  CHECK(run_ferry({"nodes", "-q"}, h).out.empty());
}

TEST_CASE("names of nodes alone, for scripts") {
  scripted_daemon daemon([](const asked&) { return reply{.body = nodes(json::array({node("alpha"), node("beta")})).dump()}; });
  const how h{.socket = daemon.socket()};
  CHECK(run_ferry({"nodes", "-q"}, h).out == "alpha\nbeta\n");
  CHECK(daemon.requests().at(0).target == "/api/v1/nodes");
}

TEST_CASE("nodes are drained, resumed and removed, several at once") {
  scripted_daemon daemon(willing);
  const auto run = [&](const std::vector<std::string>& words) { return run_ferry(words, {.socket = daemon.socket()}); };
  CHECK(run({"node", "drain", "alpha", "beta"}).out ==
        "node alpha is drained: nothing new is started there until `ferry node resume alpha`\n"
        "node beta is drained: nothing new is started there until `ferry node resume beta`\n");
  CHECK(run({"node", "resume", "alpha"}).out == "node alpha takes work again\n");
  CHECK(run({"node", "remove", "alpha"}).out == "node alpha is removed\n");
  CHECK(run({"node", "remove", "--force", "alpha", "--format", "json"}).out == "{\"name\":\"alpha\",\"removed\":true}\n");
  CHECK(run({"node", "drain", "a", "b", "--format", "json"}).out ==
        "[{\"drained\":true,\"name\":\"a\"},{\"drained\":true,\"name\":\"b\"}]\n");
  std::vector<std::string> sent;
  for (const auto& one : daemon.requests())
    sent.push_back(one.method + " " + one.target + one.body);
  const std::string base = "/api/v1/nodes/";
  CHECK(sent == std::vector<std::string>{"POST " + base + "alpha/drain", "POST " + base + "beta/drain",
                                         "POST " + base + "alpha/resume", "DELETE " + base + "alpha",
                                         "DELETE " + base + "alpha?force=true", "POST " + base + "a/drain",
                                         "POST " + base + "b/drain"});
}

TEST_CASE("what cannot be asked of nodes is refused before it is") {
  scripted_daemon daemon(willing);
  for (const std::vector<std::string>& wrong : std::vector<std::vector<std::string>>{
           {"node"}, {"node", "drain"}, {"node", "list", "alpha"}, {"node", "drain", "alpha", "--force"}, {"nodes", "alpha"}}) {
    CAPTURE(wrong);
    CHECK(run_ferry(wrong, {.socket = daemon.socket()}).status == 2);
  }
  CHECK(daemon.requests().empty());
}

TEST_CASE("the first error's status counts, and the other nodes are asked all the same") {
  scripted_daemon daemon([](const asked& what) {
    if (what.target.find("alpha") != std::string::npos)
      return refused(404, "not_found", "there is no node 'alpha'");
    return what.target.find("beta") != std::string::npos ? refused(409, "conflict", "node beta is connected") : willing(what);
  });
  const auto r = run_ferry({"node", "remove", "alpha", "beta", "gamma"}, {.socket = daemon.socket()});
  CHECK(r.status == 5);
  CHECK(r.err == "ferry: there is no node 'alpha'\nferry: node beta is connected\n");
  CHECK(r.out == "node gamma is removed\n");
  CHECK(run_ferry({"node", "remove", "beta"}, {.socket = daemon.socket()}).status == 6);
}

TEST_CASE("a daemon that takes out the devices of a node removed before is waited for") {
  std::atomic<int> times = 0;
  scripted_daemon daemon([&](const asked& what) {
    return ++times == 2 ? refused(503, "unavailable", "the daemon is restarting a part of itself") : willing(what);
  });
  const auto r = run_ferry({"node", "remove", "alpha", "beta"}, {.socket = daemon.socket()});
  CHECK(r.status == 0);
  CHECK(r.out == "node alpha is removed\nnode beta is removed\n");
}
