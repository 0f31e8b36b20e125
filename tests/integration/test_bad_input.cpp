// Bad input by the dozen: a clear answer each, and the daemon goes on.
#include "tests/integration/daemon_process.hpp"

#include <cstring>
#include <fstream>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

using namespace ferry;
using ferry::tests::daemon_process;
using ferry::tests::run_program;

namespace {

// Sends raw bytes and returns what comes back until the peer closes.
std::string exchange(const std::filesystem::path& socket, const std::string& bytes, std::size_t repeat = 1) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket.c_str(), sizeof address.sun_path - 1);
  REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  for (std::size_t n = 0; n < repeat; ++n)
    if (::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0)
      break;
  ::shutdown(fd, SHUT_WR);
  std::string answer;
  char buffer[65536];
  for (ssize_t n = 0; (n = ::read(fd, buffer, sizeof buffer)) > 0;)
    answer.append(buffer, static_cast<std::size_t>(n));
  ::close(fd);
  return answer;
}

std::string post(const std::string& path, const std::string& body) {
  return "POST " + path + " HTTP/1.1\r\nHost: ferry\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

} // namespace

TEST_CASE("broken requests are answered with what is wrong") {
  daemon_process daemon;
  daemon.start();
  const struct {
    std::string body;
    std::string says;
  } cases[] = {
      {"{", "not valid JSON"},
      {"[]", "must be a JSON object"},
      {"{}", "type is missing"},
      {R"({"type":5})", "type must be a string"},
      {R"({"type":"nonsense"})", "no job type 'nonsense'"},
      {R"({"type":"comand"})", "did you mean"},
      {R"({"type":"command"})", "argv"},
      {R"({"type":"command","params":{"argv":[]}})", "argv"},
      {R"({"type":"command","params":{"argv":["a\u0000b"]}})", "NUL"},
      {R"({"type":"command","params":{"argv":["true"]},"priority":101})", "0 to 100, is 101"},
      {R"({"type":"command","params":{"argv":["true"]},"priority":"high"})", "priority must be an integer"},
      {R"({"type":"command","params":{"argv":["true"]},"priorty":1})", "priorty"},
      {R"({"type":"command","params":{"argv":["true"],"colour":1}})", "colour"},
      {R"({"type":"command","params":[]})", "must be an object"},
      {R"({"jobs":[]})", "no job in the request"},
      {R"({"jobs":{}})", "jobs must be an array"},
      {R"({"jobs":[{"type":"command","params":{"argv":["true"]}},{"type":"x"}]})", "/jobs/1"},
      {std::string(5000, '['), "levels deep"},
      {"\xff\xfe", "not valid JSON"},
      {std::string("{\"type\":\"com\0mand\"}", 18), "not valid JSON"},
  };
  for (const auto& c : cases) {
    const auto answer = exchange(daemon.socket(), post("/api/v1/jobs", c.body));
    INFO(c.body.substr(0, 100) << "\n" << answer.substr(0, 600));
    CHECK(answer.starts_with("HTTP/1.1 400"));
    CHECK(answer.find(c.says) != std::string::npos);
  }
  CHECK(daemon.get("/status")["counts"]["queued"] == 0);
  CHECK(daemon.refused("GET", "/nothing").code == error_code::not_found);
  CHECK(daemon.refused("DELETE", "/status").code == error_code::invalid_argument);
  CHECK(daemon.refused("GET", "/jobs/abc").code == error_code::invalid_argument);
  CHECK(daemon.refused("GET", "/jobs/0").code == error_code::invalid_argument);
  CHECK(daemon.refused("GET", "/jobs/99999999").code == error_code::not_found);
  CHECK(daemon.refused("GET", "/queue?limit=0").code == error_code::invalid_argument);
  CHECK(daemon.refused("GET", "/queue?limt=5").hint.find("limit") != std::string::npos);
  CHECK(daemon.refused("GET", "/jobs?status=lost").code == error_code::invalid_argument);
}

TEST_CASE("bytes that are not HTTP, huge headers and huge bodies are refused and the daemon goes on") {
  daemon_process daemon;
  daemon.start();
  CHECK(exchange(daemon.socket(), "\x16\x03\x01 garbage \r\n\r\n").starts_with("HTTP/1.1 400"));
  CHECK(exchange(daemon.socket(), std::string(100'000, 'A')).starts_with("HTTP/1.1 4"));
  CHECK(exchange(daemon.socket(), "GET /api/v1/status HTTP/1.1\r\nX: " + std::string(30'000, 'x') + "\r\n\r\n")
            .starts_with("HTTP/1.1 413"));
  CHECK(exchange(daemon.socket(), "GET /../../etc/passwd HTTP/1.1\r\nHost: f\r\nConnection: close\r\n\r\n")
            .starts_with("HTTP/1.1 40"));
  // 1 GiB, declared and then sent as fast as it is taken.
  const auto declared =
      exchange(daemon.socket(),
               "POST /api/v1/jobs HTTP/1.1\r\nHost: f\r\nContent-Length: 1073741824\r\n\r\n" + std::string(1 << 20, 'x'), 64);
  CHECK(declared.starts_with("HTTP/1.1 413"));
  const auto chunked = exchange(
      daemon.socket(),
      "POST /api/v1/jobs HTTP/1.1\r\nHost: f\r\nTransfer-Encoding: chunked\r\n\r\n40000000\r\n" + std::string(1 << 20, 'x'), 64);
  CHECK(chunked.starts_with("HTTP/1.1 413"));
  CHECK(exchange(daemon.socket(), "").empty());
  CHECK(daemon.get("/status")["counts"]["queued"] == 0);
}

TEST_CASE("the socket is its owner's alone") {
  daemon_process daemon;
  daemon.start();
  struct stat about {};
  REQUIRE(::stat(daemon.socket().c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0600);
  REQUIRE(::stat(daemon.data().c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0700);
}

TEST_CASE("a configuration with faults is refused with all of them") {
  daemon_process daemon("[job_types.bad]\ncomand = [\"x\"]\n[queue]\nx = 1\n", 0);
  const auto checked = run_program({FERRYD_PROGRAM, "--check-config", "--config", daemon.config().string()});
  CHECK(checked.status == 2);
  CHECK(checked.output.find("ferry.toml:") != std::string::npos);
  CHECK(checked.output.find("comand") != std::string::npos);
  CHECK(checked.output.find("queue") != std::string::npos);
  CHECK(daemon.start_refused().status == 2);
  std::ofstream(daemon.config()) << "[storage\n";
  CHECK(daemon.start_refused().status == 2);
  CHECK(run_program({FERRYD_PROGRAM, "--config", "/no/such/file"}).status == 2);
}
