// The daemon over TCP: hosts, origins, tokens, roles, and clients that take their time.
#include "tests/integration/daemon_process.hpp"
#include "tests/integration/raw_http.hpp"

#include <fstream>

using namespace ferry;
using namespace ferry::tests;

namespace {

constexpr const char* over_tcp = "[http.tcp]\nlisten = \"127.0.0.1:0\"\nhosts = [\"gpu.example.org\"]\n";

int port_of(daemon_process& daemon) {
  const auto address = daemon.get("/status")["http"]["address"].get<std::string>();
  CHECK(address.starts_with("127.0.0.1:"));
  return std::stoi(address.substr(address.find(':') + 1));
}

std::string owner_token(const daemon_process& daemon) {
  std::ifstream file(daemon.data() / "token");
  std::string token;
  file >> token;
  REQUIRE(token.size() == 64);
  return token;
}

struct user_of_tcp {
  int port = 0;
  std::string token;
  raw_answer ask(const std::string& method, const std::string& path, const json& body = nullptr) const {
    return raw_connection(port).ask(method, "/api/v1" + path, {"Authorization: Bearer " + token},
                                    body.is_null() ? "" : body.dump());
  }
};

const json true_job = {{"type", "command"}, {"params", {{"argv", {"true"}}}}};

} // namespace

TEST_CASE("only requests to the daemon's own name, from its own page, with a token are answered over TCP") {
  daemon_process daemon({}, 1, over_tcp);
  daemon.start();
  const int port = port_of(daemon);
  const std::string bearer = "Authorization: Bearer " + owner_token(daemon), cookie = "Cookie: ferry_token=" + owner_token(daemon);
  const auto status = [&](const std::string& method, const std::vector<std::string>& headers, const std::string& body = {}) {
    return raw_connection(port).ask(method, method == "GET" ? "/api/v1/session" : "/api/v1/queue/pause", headers, body).status;
  };
  CHECK(status("GET", {bearer}) == 200);
  CHECK(status("GET", {cookie}) == 200);
  CHECK(status("GET", {"Host: gpu.example.org", bearer}) == 200);
  CHECK(status("GET", {}) == 401);
  CHECK(status("GET", {"Authorization: Bearer " + std::string(64, '0')}) == 401);
  CHECK(status("GET", {"Host: evil.example", bearer}) == 403);
  CHECK(status("GET", {"Origin: http://evil.example", bearer}) == 403);
  CHECK(status("POST", {cookie}) == 403);
  CHECK(status("POST", {cookie, "Origin: http://evil.example"}) == 403);
  CHECK(status("POST", {cookie, "Origin: http://localhost"}) == 200);
  CHECK(status("POST", {bearer}) == 200);

  const auto session = raw_connection(port).ask("GET", "/api/v1/session", {bearer});
  CHECK(json::parse(session.body)["role"] == "admin");
  CHECK(json::parse(session.body)["user"] ==
        json::parse(raw_connection(daemon.socket()).ask("GET", "/api/v1/session").body)["user"]);
  CHECK(session.header("X-Content-Type-Options") == "nosniff");
  CHECK(session.header("Cache-Control") == "no-store");
  CHECK(session.header("Content-Security-Policy").starts_with("default-src 'none'"));
  // The socket asks for nothing: whoever may open it is its owner.
  CHECK(raw_connection(daemon.socket()).ask("GET", "/api/v1/session", {"Host: anything"}).status == 200);
}

TEST_CASE("each role may do what it is for, and a token that is removed does nothing") {
  daemon_process daemon({}, 1, over_tcp);
  daemon.start();
  const user_of_tcp owner{port_of(daemon), owner_token(daemon)};
  const auto token_for = [&](const std::string& name, const std::string& role) {
    const auto made = owner.ask("POST", "/tokens", {{"name", name}, {"role", role}});
    CHECK(made.status == 201);
    return user_of_tcp{owner.port, json::parse(made.body)["token"]};
  };
  const auto reader = token_for("rita", "read"), ada = token_for("ada", "submit"), eve = token_for("eve", "submit");
  owner.ask("POST", "/queue/pause");

  CHECK(reader.ask("GET", "/queue").status == 200);
  CHECK(reader.ask("POST", "/jobs", true_job).status == 403);
  CHECK(reader.ask("GET", "/tokens").status == 403);
  const auto submitted = ada.ask("POST", "/jobs", true_job);
  REQUIRE(submitted.status == 201);
  const auto path = "/jobs/" + json::parse(submitted.body)["id"].dump();
  CHECK(daemon.get(path)["user"] == "ada");
  json of_eve = true_job;
  of_eve["user"] = "eve";
  CHECK(ada.ask("POST", "/jobs", of_eve).status == 403);
  CHECK(owner.ask("POST", "/jobs", of_eve).status == 201);
  CHECK(eve.ask("POST", path + "/cancel").status == 403);
  CHECK(eve.ask("PATCH", path, {{"priority", 90}}).status == 403);
  CHECK(eve.ask("GET", path).status == 200);
  CHECK(reader.ask("POST", path + "/cancel").status == 403);
  CHECK(ada.ask("PATCH", path, {{"priority", 90}}).status == 200);
  for (const char* command : {"/queue/pause", "/queue/clear", "/job-types/command/hold"})
    CHECK(ada.ask("POST", command).status == 403);
  CHECK(ada.ask("POST", path + "/cancel").status == 200);
  CHECK(ada.ask("POST", "/jobs/9999/cancel").status == 404);

  const auto listed = json::parse(owner.ask("GET", "/tokens").body)["tokens"];
  REQUIRE(listed.size() == 3);
  CHECK(listed[1]["name"] == "ada");
  CHECK(listed[1]["role"] == "submit");
  CHECK_FALSE(listed[1].contains("token"));
  CHECK(owner.ask("POST", "/tokens", {{"name", "ada"}, {"role", "read"}}).status == 409);
  CHECK(owner.ask("POST", "/tokens", {{"name", "x"}, {"role", "king"}}).status == 400);

  daemon.crash_and_start();
  const user_of_tcp ada_again{port_of(daemon), ada.token}, owner_again{ada_again.port, owner.token};
  CHECK(json::parse(ada_again.ask("GET", "/session").body)["user"] == "ada");
  raw_connection open(ada_again.port);
  open.send("GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + ada.token + "\r\n\r\n");
  CHECK(open.read_until("event: hello").starts_with("HTTP/1.1 200"));
  CHECK(owner_again.ask("DELETE", "/tokens/ada").status == 200);
  CHECK(ada_again.ask("GET", "/session").status == 401);
  CHECK(open.read_until("0\r\n\r\n").ends_with("\r\n0\r\n\r\n")); // the stream that was open is ended, too
  CHECK(owner_again.ask("DELETE", "/tokens/ada").status == 404);
}

TEST_CASE("the usual port may be another program's, a port that was asked for may not") {
  daemon_process first({}, 1, "[http.tcp]\nlisten = \"127.0.0.1:0\"\n");
  first.start();
  const auto address = first.get("/status")["http"]["address"].get<std::string>();
  daemon_process second({}, 1, "[http.tcp]\nlisten = \"" + address + "\"\n");
  const auto refused = second.start_refused();
  CHECK(refused.status != 0);
  CHECK(refused.output.find(address) != std::string::npos);
  // Two daemons that are left to themselves: one of them, or some other program, has the port.
  daemon_process third({}, 1, "[http.tcp]\nlisten = \"auto\"\n"), fourth({}, 1, "[http.tcp]\nlisten = \"auto\"\n");
  third.start();
  fourth.start();
  const auto told = fourth.get("/status");
  CHECK(told["http"]["address"].is_null());
  CHECK(told["notes"].dump().find("there is no page") != std::string::npos);
  CHECK(fourth.finished(fourth.submit_script("true"))["status"] == "completed");
}

TEST_CASE("a header that does not come is not waited for") {
  daemon_process daemon({}, 1, over_tcp);
  daemon.start();
  raw_connection slow(port_of(daemon));
  slow.send("GET /api/v1/status HTTP/1.1\r\nHost: local");
  CHECK(slow.read().empty()); // closed, long before the minute after which reading gives up
}

TEST_CASE("tokens and the link to the page from the command line") {
  daemon_process daemon({}, 1, over_tcp);
  daemon.start();
  const auto ferry = [&](std::vector<std::string> words) {
    words.insert(words.begin(), FERRY_PROGRAM);
    return run_program(words, {"FERRY_SOCKET=" + daemon.socket().string()});
  };
  auto made = ferry({"token", "add", "ada", "--role", "submit", "--quiet"});
  CHECK(made.status == 0);
  REQUIRE(made.output.size() == 65);
  made.output.pop_back();
  const user_of_tcp ada{port_of(daemon), made.output};
  CHECK(json::parse(ada.ask("GET", "/session").body)["role"] == "submit");
  CHECK(ferry({"token", "list", "--quiet"}).output == "ada\n");
  CHECK(ferry({"token", "list"}).output.find("submit") != std::string::npos);
  CHECK(ferry({"token", "add", "eve"}).status == 2);
  CHECK(ferry({"token", "remove", "ada"}).status == 0);
  CHECK(ferry({"token", "remove", "ada"}).status == 5);
  CHECK(ada.ask("GET", "/session").status == 401);

  auto link = ferry({"ui", "--print"});
  CHECK(link.status == 0);
  CHECK(link.output == "http://127.0.0.1:" + std::to_string(ada.port) + "/?token=" + owner_token(daemon) + "\n");
  link.output.pop_back();
  const auto target = link.output.substr(link.output.find('/', 7));
  const auto answer = raw_connection(ada.port).ask("GET", target);
  CHECK(answer.status == 303);
  CHECK(answer.header("Location") == "/");
  CHECK(answer.header("Set-Cookie") == "ferry_token=" + owner_token(daemon) + "; HttpOnly; SameSite=Strict; Path=/");
}
