// The daemon by TLS: certificates that it takes and refuses, and clients that speak TLS, or something else.
#include "tests/integration/daemon_process.hpp"
#include "tests/integration/raw_http.hpp"
#include "tests/integration/tls_peer.hpp"
#include "tests/support/file_text.hpp"

using namespace ferry;
using namespace ferry::tests;

namespace {

struct served_by_tls {
  explicit served_by_tls(const std::string& http = {}) {
    make_certificate({.file = folder.path() / "own.pem", .key_file = folder.path() / "own.key"});
    daemon.emplace(std::string(), 1,
                   http + "[http.tcp]\nlisten = \"127.0.0.1:0\"\ncertificate = \"" + certificate() + "\"\nkey = \"" +
                       (folder.path() / "own.key").string() + "\"\n");
    daemon->start();
    const auto told = daemon->get("/status")["http"];
    port = std::stoi(told["address"].get<std::string>().substr(std::string("127.0.0.1:").size()));
    token = text_of(daemon->data() / "token").substr(0, 64);
  }
  [[nodiscard]] std::string certificate() const { return (folder.path() / "own.pem").string(); }
  [[nodiscard]] tls_peer peer() const { return tls_peer(port, certificate(), "localhost"); }
  [[nodiscard]] std::string request(const std::string& line, const std::string& headers = {}, const std::string& body = {}) const {
    return line + " HTTP/1.1\r\n" + (headers.find("Host:") == std::string::npos ? "Host: localhost\r\n" : "") +
           "Authorization: Bearer " + token + "\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
           headers + "\r\n" + body;
  }
  // The whole answer; its end must be told.
  [[nodiscard]] std::string ask(const std::string& text) const {
    auto one = peer();
    one.send(text);
    auto answer = one.read_to_end();
    CHECK(one.was_ended_properly());
    return answer;
  }

  scratch_directory folder;
  std::optional<daemon_process> daemon;
  int port = 0;
  std::string token;
};

program_end checked(const daemon_process& daemon) {
  return run_program({FERRYD_PROGRAM, "--check-config", "--config", daemon.config().string()});
}

} // namespace

TEST_CASE("API, page, uploads and events are served by TLS, and links and cookies are for https alone") {
  served_by_tls with;
  auto& daemon = *with.daemon;
  const auto told = daemon.get("/status")["http"];
  CHECK(told["url"] == "https://127.0.0.1:" + std::to_string(with.port));
  const auto link = run_program({FERRY_PROGRAM, "ui", "--print"}, {"FERRY_SOCKET=" + daemon.socket().string()}).output;
  CHECK(link == told["url"].get<std::string>() + "/?token=" + with.token + "\n");

  const auto status = with.ask(with.request("GET /api/v1/status"));
  CHECK(status.starts_with("HTTP/1.1 200"));
  CHECK(status.find("Strict-Transport-Security") == std::string::npos); // the certificate may be its own
  const auto cookie = with.ask("GET /?token=" + with.token + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  CHECK(cookie.find("HttpOnly; SameSite=Strict; Path=/; Secure\r\n") != std::string::npos);
  CHECK(with.ask(with.request("GET /")).starts_with("HTTP/1.1 200"));

  // Larger than any buffer on the way, there and back.
  const std::string content(5 << 20, 'x');
  const auto begun =
      json::parse(daemon.connect()->send({"POST", "/uploads", R"({"name":"a","bytes":5242880,"dataset":"d"})"})->body);
  const auto id = begun["upload"].get<std::string>();
  CHECK(with.ask(with.request("PATCH /api/v1/uploads/" + id, "Upload-Offset: 0\r\n", content)).starts_with("HTTP/1.1 200"));
  const auto file = with.ask(with.request("GET /api/v1/datasets/d/files/a"));
  CHECK(file.ends_with("\r\n\r\n" + content));

  auto events = with.peer();
  events.send(with.request("GET /api/v1/events"));
  CHECK(events.read_until("event: hello").starts_with("HTTP/1.1 200"));
  daemon.submit_script("true");
  CHECK(events.read_until("event: job").ends_with("event: job"));
}

TEST_CASE("by TLS a request names the certificate's host, and comes from a page of https") {
  const served_by_tls with;
  const auto status = [&](const std::string& headers) {
    return with.ask(with.request("GET /api/v1/session", headers)).substr(9, 3);
  };
  CHECK(status("Host: gpu.example.org\r\n") == "200");
  CHECK(status("Host: 10.1.2.3:7878\r\n") == "200");
  CHECK(status("Host: [FD00::5]\r\n") == "200");
  CHECK(status("Host: evil.example\r\n") == "403");
  CHECK(status("Host: 10.1.2.4\r\n") == "403");
  CHECK(status("Origin: https://localhost\r\n") == "200");
  CHECK(status("Origin: http://localhost\r\n") == "403");
}

TEST_CASE("what is no TLS, too old a TLS or no handshake at all is closed, and others are served meanwhile") {
  served_by_tls with("timeouts.header = \"500ms\"\n");
  raw_connection silent(with.port), plain(with.port);
  plain.send("GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(plain.read_until("HTTP/").find("HTTP/1.1 ") == std::string::npos);
  CHECK_FALSE(tls_peer::can_connect(with.port, with.certificate(), "localhost", tls_peer::version::tls_1_1));
  CHECK(tls_peer::can_connect(with.port, with.certificate(), "localhost", tls_peer::version::tls_1_2));
  CHECK_FALSE(
      tls_peer::can_connect(with.port, with.certificate(), "other.example", tls_peer::version::tls_1_3)); // the client's own check
  CHECK(with.ask(with.request("GET /api/v1/session")).starts_with("HTTP/1.1 200"));
  CHECK(silent.read().empty());
  CHECK(with.daemon->get("/status")["paused"] == false);
}

TEST_CASE("a request by TLS that is not read to its end is answered, and the answer arrives") {
  const served_by_tls with;
  auto one = with.peer();
  one.send("POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1073741824\r\n\r\n" + std::string(1 << 16, 'x'));
  CHECK(one.read_until("\r\n").starts_with("HTTP/1.1 401")); // before anything of it is taken
}

TEST_CASE("a certificate that cannot be used is refused, by its key and with why, before anything starts") {
  const scratch_directory folder;
  const auto path = [&](const char* name) { return (folder.path() / name).string(); };
  make_certificate({.file = path("own.pem"), .key_file = path("own.key")});
  make_certificate({.file = path("other.pem"), .key_file = path("other.key")});
  make_certificate({.file = path("old.pem"), .key_file = path("old.key"), .valid_from_s = -7200, .valid_to_s = -3600});
  make_certificate({.file = path("new.pem"), .key_file = path("new.key"), .valid_from_s = 3600, .valid_to_s = 7200});
  make_certificate({.file = path("soon.pem"), .key_file = path("soon.key"), .valid_to_s = 3600});
  make_certificate({.file = path("locked.pem"), .key_file = path("locked.key"), .passphrase = "secret"});
  std::ofstream(path("empty")) << "";
  const struct {
    const char *certificate, *key, *says;
  } bad[] = {
      {"none.pem", "own.key", "none.pem cannot be read: No such file or directory"},
      {"own.pem", "none.key", "http.tcp.key: "},
      {"own.key", "own.key", "own.key holds no certificate in PEM"},
      {"empty", "own.key", "empty holds no certificate in PEM"},
      {"own.pem", "own.pem", "own.pem holds no private key in PEM"},
      {"own.pem", "other.key", "other.key is not the key of "},
      {"old.pem", "old.key", "old.pem has expired on "},
      {"new.pem", "new.key", "new.pem is not valid before "},
      {"locked.pem", "locked.key", "locked.key has a passphrase"},
      {".", "own.key", "is not a file"},
  };
  const auto daemon_with = [&](const char* certificate, const char* key, const char* listen) {
    return std::make_unique<daemon_process>(std::string(), 1,
                                            std::string("[http.tcp]\nlisten = \"") + listen + "\"\ncertificate = \"" +
                                                path(certificate) + "\"\nkey = \"" + path(key) + "\"\n");
  };
  for (const auto& [certificate, key, says] : bad) {
    const auto daemon = daemon_with(certificate, key, "127.0.0.1:0");
    for (const auto& end : {checked(*daemon), daemon->start_refused()}) {
      INFO(certificate << " " << key << ": " << end.output);
      CHECK(end.status == 2);
      CHECK(end.output.find(says) != std::string::npos);
      CHECK(end.output.find("http.tcp.") != std::string::npos);
    }
  }
  // Off loopback it may be listened on, by TLS alone.
  CHECK(checked(*daemon_with("own.pem", "own.key", "0.0.0.0:7878")).status == 0);
  const auto soon = checked(*daemon_with("soon.pem", "soon.key", "127.0.0.1:0"));
  CHECK(soon.status == 0);
  CHECK(soon.output.find("warning: the certificate " + path("soon.pem") + " expires on ") != std::string::npos);
  std::filesystem::permissions(path("own.key"), std::filesystem::perms(0644));
  CHECK(checked(*daemon_with("own.pem", "own.key", "127.0.0.1:0")).output.find("can be read by others") != std::string::npos);
}
