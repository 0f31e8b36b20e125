// Peers that are slow, silent, too many or wrong: each is bounded, and the others are served meanwhile.
#include "tests/integration/daemon_process.hpp"
#include "tests/integration/raw_http.hpp"
#include "tests/support/file_text.hpp"

#include <cstring>
#include <thread>

using namespace ferry;
using namespace ferry::tests;

namespace {

constexpr int patience_ms = 60'000;

int port_of(daemon_process& daemon) {
  const auto address = daemon.get("/status")["http"]["address"].get<std::string>();
  return std::stoi(address.substr(address.find(':') + 1));
}

// The most memory that the daemon has ever had, in KiB.
std::int64_t peak_kib(daemon_process& daemon) {
  const auto text = text_of("/proc/" + daemon.get("/status")["pid"].dump() + "/status");
  const auto at = text.find("VmHWM:");
  REQUIRE(at != std::string::npos);
  return std::stoll(text.substr(at + std::strlen("VmHWM:")));
}

void check_serves(daemon_process& daemon) { CHECK(daemon.connect()->send({"GET", "/status"}).has_value()); }

} // namespace

TEST_CASE("headers that come a byte at a time are given up, however many there are, and others are served meanwhile") {
  daemon_process daemon({}, 1, "timeouts.header = \"500ms\"\n");
  daemon.start();
  std::vector<raw_connection> slow;
  for (int i = 0; i < 50; ++i) {
    slow.emplace_back(daemon.socket());
    slow.back().send("GET /api/v1/status HTTP/1.1\r\nX-Dribble: ");
  }
  std::size_t open = slow.size();
  while (open > 0) { // each byte comes in time, the header as a whole does not
    open = 0;
    for (const auto& one : slow)
      if (!one.is_closed_by_peer(1)) {
        ++open;
        one.try_to_send("x");
      }
    check_serves(daemon);
  }
  for (const auto& one : slow)
    CHECK(one.read().empty());
}

TEST_CASE("a connection that is idle, half open or sends half a body is closed in its time") {
  daemon_process daemon({}, 1, "timeouts = { idle = \"300ms\", header = \"300ms\", body = \"300ms\" }\n");
  daemon.start();
  raw_connection idle(daemon.socket()), silent(daemon.socket()), half(daemon.socket()), upload(daemon.socket());
  CHECK(idle.ask("GET", "/api/v1/status").status == 200);
  half.send("POST /api/v1/jobs HTTP/1.1\r\nHost: f\r\nContent-Length: 1000\r\n\r\n{");
  const auto id = daemon.post("/uploads", {{"name", "a"}, {"bytes", 1000}})["upload"].get<std::string>();
  upload.send("PATCH /api/v1/uploads/" + id + " HTTP/1.1\r\nHost: f\r\nUpload-Offset: 0\r\nContent-Length: 1000\r\n\r\nabc");
  for (const auto* one : {&idle, &silent, &half, &upload})
    CHECK(one->read().empty());
  eventually([&] { return daemon.get("/uploads/" + id)["offset"] == 3; }); // what has come is kept
  // A peer that will send no more still gets what it asked for; one that says nothing at all is just gone.
  raw_connection asked(daemon.socket()), gone(daemon.socket());
  asked.send("GET /api/v1/session HTTP/1.1\r\nHost: f\r\n\r\n");
  asked.finish_sending();
  CHECK(asked.read_until("\r\n\r\n").starts_with("HTTP/1.1 200"));
  gone.finish_sending();
  CHECK(gone.read().empty());
  check_serves(daemon);
}

TEST_CASE("a peer that does not read its answer is given up, and holds none of it in memory") {
  daemon_process daemon({}, 1, "timeouts.answer = \"300ms\"\n");
  daemon.start();
  const auto id = daemon.submit_script("head -c 268435456 /dev/zero > large.bin");
  REQUIRE(daemon.finished(id)["status"] == "completed");
  const auto before = peak_kib(daemon);
  raw_connection deaf(daemon.socket());
  deaf.send("GET /api/v1/jobs/" + std::to_string(id) + "/artifacts/large.bin HTTP/1.1\r\nHost: f\r\n\r\n");
  CHECK(deaf.is_closed_by_peer(patience_ms));
  check_serves(daemon);
  std::size_t taken = 0;
  for (auto piece = deaf.read(); !piece.empty(); piece = deaf.read())
    taken += piece.size();
  CHECK(taken < 268435456);
  CHECK(peak_kib(daemon) - before < 64 * 1024);
}

TEST_CASE("connections beyond the bound are told so, and the socket has its own") {
  daemon_process daemon({}, 1, "connections_max = 3\n[http.tcp]\nlisten = \"127.0.0.1:0\"\n");
  daemon.start();
  const int port = port_of(daemon);
  const auto probe = [&](raw_connection& by) { return by.ask("GET", "/healthz"); };
  std::vector<raw_connection> kept;
  for (int i = 0; i < 3; ++i) {
    kept.emplace_back(port);
    CHECK(probe(kept.back()).status == 200);
  }
  for (int i = 0; i < 5; ++i) {
    raw_connection beyond(port);
    const auto refused = probe(beyond);
    CHECK(refused.status == 503);
    CHECK(refused.header("Retry-After") == "1");
    CHECK(refused.body.find("http.connections_max is 3") != std::string::npos);
  }
  check_serves(daemon);
  kept.pop_back();
  eventually([&] { // the daemon has seen that it went
    raw_connection next(port);
    return probe(next).status == 200;
  });
}

TEST_CASE("a gigabyte in a body is refused without being kept") {
  daemon_process daemon;
  daemon.start();
  const auto before = peak_kib(daemon);
  const std::string megabyte(1 << 20, 'x');
  std::vector<std::thread> senders;
  for (const bool chunked : {false, true, false, true})
    senders.emplace_back([&, chunked] {
      raw_connection connection(daemon.socket());
      connection.try_to_send(std::string("POST /api/v1/jobs HTTP/1.1\r\nHost: f\r\n") +
                             (chunked ? "Transfer-Encoding: chunked\r\n\r\n40000000\r\n" : "Content-Length: 1073741824\r\n\r\n"));
      for (int sent = 0; sent < 1024 && connection.try_to_send(megabyte); ++sent) {}
    });
  for (auto& one : senders)
    one.join();
  check_serves(daemon);
  CHECK(peak_kib(daemon) - before < 160 * 1024); // four bodies of at most 16 MiB, and what growing them takes
}

TEST_CASE("NUL bytes and control characters in a request are refused or are nobody's name") {
  daemon_process daemon;
  daemon.start();
  using namespace std::string_literals;
  for (const auto& head :
       {"GET /api/v1/sta\0tus HTTP/1.1\r\nHost: f\r\n\r\n"s, "GET /api/v1/status HTTP/1.1\r\nHo\0st: f\r\n\r\n"s,
        "GET /api/v1/status HTTP/1.1\r\nHost: f\0g\r\n\r\n"s, "GET /api/v1/status\x7f HTTP/1.1\r\nHost: f\r\n\r\n"s,
        "G\0T /api/v1/status HTTP/1.1\r\nHost: f\r\n\r\n"s, "GET /api/v1/status HTTP/1.1\r\n Host: f\r\n\r\n"s,
        "POST /api/v1/jobs HTTP/1.1\r\nHost: f\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"s,
        "POST /api/v1/jobs HTTP/1.1\r\nHost: f\r\nContent-Length: -2\r\n\r\n{}"s,
        "POST /api/v1/jobs HTTP/1.1\r\nHost: f\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"s}) {
    INFO(head);
    raw_connection connection(daemon.socket());
    connection.send(head);
    CHECK(connection.read_until("\r\n").starts_with("HTTP/1.1 400"));
  }
  raw_connection connection(daemon.socket());
  for (const auto& [method, path, status] :
       std::initializer_list<std::tuple<const char*, const char*, int>>{{"GET", "/jobs/1%00", 400},
                                                                        {"GET", "/status%00", 404},
                                                                        {"GET", "/%00", 404},
                                                                        {"POST", "/job-types/command%00/hold", 404},
                                                                        {"GET", "/jobs?name=%00", 200},
                                                                        {"GET", "/jobs?type=a%00b", 200},
                                                                        {"GET", "/queue?user=%00&name=%00", 200},
                                                                        {"PATCH", "/groups/a%00b", 400},
                                                                        {"GET", "/datasets/%00", 400},
                                                                        {"GET", "/jobs/%2e%2e/%2e%2e", 404}}) {
    INFO(method << " " << path);
    CHECK(connection.ask(method, std::string("/api/v1") + path, {}, "").status == status);
  }
  check_serves(daemon);
}

TEST_CASE("a method that a path does not take is answered with those that it takes") {
  daemon_process daemon;
  daemon.start();
  raw_connection connection(daemon.socket()); // all over one: each is answered whole
  for (const auto& [method, path, allowed] : std::initializer_list<std::tuple<const char*, const char*, const char*>>{
           {"DELETE", "/api/v1/status", "GET, HEAD"},
           {"PUT", "/api/v1/jobs", "POST, GET, HEAD"},
           {"OPTIONS", "/api/v1/jobs/1", "GET, HEAD, PATCH"},
           {"POST", "/api/v1/uploads/x", "PATCH, GET, HEAD, DELETE"},
           {"GET", "/api/v1/queue/pause", "POST"},
           {"POST", "/healthz", "GET, HEAD"},
           {"DELETE", "/", "GET, HEAD"}}) {
    INFO(method << " " << path);
    const auto answer = connection.ask(method, path);
    CHECK(answer.status == 405);
    CHECK(answer.header("Allow") == allowed);
    CHECK(json::parse(answer.body)["error"]["code"] == "invalid_argument");
  }
  CHECK(connection.ask("DELETE", "/api/v1/nothing").status == 404);
}

TEST_CASE("a body is refused where none is taken, and the connection goes on behind it") {
  daemon_process daemon;
  daemon.start();
  raw_connection connection(daemon.socket());
  const auto refused = connection.ask("POST", "/api/v1/queue/pause", {}, R"({"paused": false})");
  CHECK(refused.status == 400);
  CHECK(json::parse(refused.body)["error"]["message"] == "this request takes no body, and has one of 17 bytes");
  CHECK(daemon.get("/status")["paused"] == false);
  CHECK(connection.ask("GET", "/api/v1/status", {"Content-Length: 5"}, "hello").status == 400);
  CHECK(connection.ask("POST", "/api/v1/queue/pause", {}, " {}\n").status == 200); // says nothing
  CHECK(connection.ask("POST", "/api/v1/queue/unpause").status == 200);
}
