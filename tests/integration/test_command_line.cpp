// The names that scripts rely on, by the real programs.
#include "tests/integration/daemon_process.hpp"

#include <arpa/inet.h>
#include <fstream>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace ferry;
using ferry::tests::daemon_process;
using ferry::tests::run_program;

namespace {

class command_line {
public:
  explicit command_line(const daemon_process& daemon) : socket_("FERRY_SOCKET=" + daemon.socket().string()) {}
  tests::program_end operator()(std::vector<std::string> words) const {
    words.insert(words.begin(), FERRY_PROGRAM);
    return run_program(words, {socket_});
  }

private:
  std::string socket_;
};

std::string get_over_tcp(int port, const std::string& token) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  const std::string request = "GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" +
                              (token.empty() ? "" : "Authorization: Bearer " + token + "\r\n") + "\r\n";
  REQUIRE(::send(fd, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size()));
  std::string answer;
  char buffer[4096];
  for (ssize_t n = 0; (n = ::read(fd, buffer, sizeof buffer)) > 0;)
    answer.append(buffer, static_cast<std::size_t>(n));
  ::close(fd);
  return answer;
}

} // namespace

TEST_CASE("submit, wait, logs, show and queue work from a script") {
  daemon_process daemon("[job_types.copy-spec]\ncommand = [\"cp\", \"{spec}\", \"{dir}/seen.json\"]\n", 1);
  daemon.start();
  const command_line ferry(daemon);
  const auto submitted = ferry({"submit", "--quiet", "command", "--", "sh", "-c", "echo hello; exit 0"});
  CHECK(submitted.status == 0);
  CHECK(submitted.output == "1\n");
  CHECK(ferry({"wait", "1"}).status == 0);
  CHECK(ferry({"logs", "1"}).output == "hello\n");
  const auto shown = json::parse(ferry({"show", "1", "--format", "json"}).output);
  CHECK(shown["id"] == 1);
  CHECK(shown["status"] == "completed");
  CHECK(shown.contains("result"));
  CHECK(ferry({"submit", "--quiet", "command", "--", "false"}).output == "2\n");
  CHECK(ferry({"wait", "2"}).status == 1);
  CHECK(ferry({"wait", "1", "2"}).status == 1);

  REQUIRE(ferry({"submit", "--quiet", "copy-spec", "--param", "weights.vis=0.5", "--json", R"({"steps": 3})"}).output == "3\n");
  REQUIRE(ferry({"wait", "3"}).status == 0);
  const auto job = daemon.get("/jobs/3");
  std::ifstream file(job["directory"].get<std::string>() + "/seen.json");
  const auto spec = json::parse(file);
  CHECK(spec["jobs"][0]["id"] == 3);
  CHECK(spec["jobs"][0]["params"] == json::parse(R"({"steps": 3, "weights": {"vis": 0.5}})"));
  CHECK(spec["jobs"][0]["dir"] == job["directory"]);

  CHECK(ferry({"pause"}).status == 0);
  for (int n = 0; n < 3; ++n)
    ferry({"submit", "--quiet", "command", "--", "true"});
  const auto queue = json::parse(ferry({"queue", "--format", "json", "--limit", "2"}).output);
  CHECK(queue["jobs"].size() == 2);
  CHECK(ferry({"cancel", "4", "5"}).status == 0);
  CHECK(ferry({"unpause"}).status == 0);
  CHECK(ferry({"wait", "6"}).status == 0);
  CHECK(ferry({"status"}).status == 0);
}

TEST_CASE("a job that is not there, a type that is not there and a daemon that is not there have their own exit status") {
  daemon_process daemon;
  daemon.start();
  const command_line ferry(daemon);
  CHECK(ferry({"show", "99"}).status == 5);
  CHECK(ferry({"submit", "nonsense"}).status == 2);
  daemon.stop();
  const auto missing = ferry({"status"});
  CHECK(missing.status == 3);
  CHECK(missing.output.find("`ferry up`") != std::string::npos);
}

TEST_CASE("TCP asks for the token, the Unix socket does not") {
  daemon_process daemon({}, 1, "[http.tcp]\nlisten = \"127.0.0.1:0\"\n");
  daemon.start();
  int port = 0;
  tests::eventually([&] {
    std::ifstream log(daemon.directory() / "ferryd.log");
    for (std::string line; std::getline(log, line);)
      if (const auto at = line.find("TCP port "); at != std::string::npos)
        port = std::stoi(line.substr(at + 9));
    return port > 0;
  });
  std::ifstream file(daemon.data() / "token");
  std::string token;
  file >> token;
  CHECK(token.size() == 64);
  CHECK(get_over_tcp(port, {}).starts_with("HTTP/1.1 401"));
  CHECK(get_over_tcp(port, std::string(64, '0')).starts_with("HTTP/1.1 401"));
  CHECK(get_over_tcp(port, token).starts_with("HTTP/1.1 200"));
}
