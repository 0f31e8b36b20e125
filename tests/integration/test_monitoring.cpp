// Health, readiness and figures; the numbers that jobs report; logs of earlier attempts.
#include "tests/integration/daemon_process.hpp"
#include "tests/integration/raw_http.hpp"

#include <fstream>

using namespace ferry;
using namespace ferry::tests;

namespace {

int port_of(daemon_process& daemon) {
  const auto address = daemon.get("/status")["http"]["address"].get<std::string>();
  return std::stoi(address.substr(address.find(':') + 1));
}

bool has_line(const std::string& text, const std::string& line) { return text.find("\n" + line + "\n") != std::string::npos; }

} // namespace

TEST_CASE("probes need no token, figures do, and neither answers to another host") {
  daemon_process daemon({}, 3, "[http.tcp]\nlisten = \"127.0.0.1:0\"\n");
  daemon.start();
  const int port = port_of(daemon);
  std::ifstream file(daemon.data() / "token");
  std::string token;
  file >> token;
  const auto ask = [&](const std::string& path, const std::vector<std::string>& headers = {}, const std::string& method = "GET") {
    return raw_connection(port).ask(method, path, headers);
  };
  CHECK(ask("/healthz").status == 200);
  CHECK(ask("/healthz").body == "ok\n");
  CHECK(ask("/readyz").status == 200);
  CHECK(ask("/healthz", {"Host: evil.example"}).status == 403);
  CHECK(ask("/metrics").status == 401);
  CHECK(ask("/metrics", {"Host: evil.example", "Authorization: Bearer " + token}).status == 403);
  CHECK(ask("/healthz", {}, "POST").status == 405);
  CHECK(ask("/readyz", {}, "HEAD").status == 200);

  const json reader = daemon.post("/tokens", {{"name", "prometheus"}, {"role", "read"}});
  const std::string bearer = "Authorization: Bearer " + reader["token"].get<std::string>();
  daemon.finished(daemon.submit_script("true"));
  daemon.finished(daemon.submit_script("false"));
  daemon.post("/queue/pause");
  daemon.submit_script("true");
  event_reader follower{raw_connection(daemon.socket())};
  follower.next("hello");
  daemon.refused("GET", "/jobs/999");
  const auto figures = ask("/metrics", {bearer});
  CAPTURE(figures.body);
  CHECK(figures.status == 200);
  CHECK(figures.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(has_line(figures.body, "ferry_jobs{state=\"completed\"} 1"));
  CHECK(has_line(figures.body, "ferry_jobs{state=\"failed\"} 1"));
  CHECK(has_line(figures.body, "ferry_jobs{state=\"queued\"} 1"));
  CHECK(has_line(figures.body, "ferry_queue_paused 1"));
  CHECK(has_line(figures.body, "ferry_device_slots{device=\"cpu\"} 3"));
  CHECK(has_line(figures.body, "ferry_event_streams 1"));
  CHECK(has_line(figures.body, "ferry_http_requests_total{method=\"POST\",route=\"/jobs\",status=\"201\"} 3"));
  CHECK(has_line(figures.body, "ferry_http_requests_total{method=\"GET\",route=\"/jobs/*\",status=\"404\"} 1"));
  CHECK(raw_connection(daemon.socket()).ask("GET", "/metrics").status == 200);
}

TEST_CASE("the numbers that a job reports are series, with every step and their times") {
  daemon_process daemon;
  daemon.start();
  const auto id = daemon.submit_script(
      R"sh(i=0; while [ $i -le 500 ]; do echo "{\"type\":\"progress\",\"step\":$i,\"total\":500,\"metrics\":{\"loss\":$((500 - i)),\"odd\":\"nan\"}}" >> "$FERRY_EVENTS"; i=$((i + 1)); done)sh");
  REQUIRE(daemon.finished(id)["status"] == "completed");
  const auto path = "/jobs/" + std::to_string(id) + "/metrics";
  const json all = daemon.get(path);
  CHECK(all["is_whole"] == true);
  REQUIRE(all["series"].size() == 2);
  CHECK(all["series"][0]["name"] == "loss");
  const json& loss = all["series"][0]["points"];
  REQUIRE(loss.size() == 501);
  CHECK(loss[0][0] == 0);
  CHECK(loss[0][1] == 500);
  CHECK(loss[500][0] == 500);
  CHECK(loss[500][1] == 0);
  CHECK(loss[500][2].get<double>() >= 0);
  CHECK(all["series"][1]["points"][3][1].is_null());
  const json few = daemon.get(path + "?points=11");
  REQUIRE(few["series"][0]["points"].size() == 11);
  CHECK(few["series"][0]["points"][10][0] == 500);
  CHECK(daemon.refused("GET", path + "?points=0").code == error_code::invalid_argument);
  CHECK(daemon.refused("GET", path + "?points=5001").code == error_code::invalid_argument);
  CHECK(daemon.refused("GET", "/jobs/999/metrics").code == error_code::not_found);
  daemon.post("/queue/pause");
  CHECK(daemon.get("/jobs/" + std::to_string(daemon.submit_script("true")) + "/metrics") ==
        json{{"series", json::array()}, {"is_whole", true}});
}

TEST_CASE("each attempt has a log of its own, which says whose it is") {
  daemon_process daemon;
  daemon.start();
  const auto mark = (daemon.directory() / "mark").string();
  const auto id =
      daemon.submit_script("if test -e " + mark + "; then echo second; else touch " + mark + "; echo first; exit 1; fi");
  REQUIRE(daemon.finished(id)["status"] == "failed");
  const auto path = "/jobs/" + std::to_string(id);
  daemon.post(path + "/retry");
  REQUIRE(daemon.finished(id)["status"] == "completed");
  const auto log = [&](const std::string& query) {
    return raw_connection(daemon.socket()).ask("GET", "/api/v1" + path + "/log" + query);
  };
  CHECK(log("").body == "second\n");
  CHECK(log("").header("Ferry-Log-Attempt") == "2");
  const auto first = log("?attempt=1&wait=60"); // nothing more will come: it does not wait
  CHECK(first.body == "first\n");
  CHECK(first.header("Ferry-Log-Attempt") == "1");
  CHECK(first.header("Ferry-Log-Complete") == "true");
  CHECK(log("?attempt=1&offset=6&wait=60").body.empty());
  CHECK(log("?attempt=2").body == "second\n");
  CHECK(log("?attempt=3").status == 404);
  CHECK(log("?attempt=0").status == 400);
  daemon.post("/queue/pause");
  const auto waiting = daemon.submit_script("true");
  CHECK(raw_connection(daemon.socket())
            .ask("GET", "/api/v1/jobs/" + std::to_string(waiting) + "/log")
            .header("Ferry-Log-Attempt")
            .empty());
}
