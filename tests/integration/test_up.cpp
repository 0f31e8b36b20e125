// `ferry up` and `ferry down`: the daemon in the background, by the real programs.
#include "tests/integration/daemon_process.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <fstream>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

using namespace ferry;
using namespace ferry::tests;

namespace {

// A folder and a configuration, without a daemon; the daemon that a test leaves is ended with the folder, by what it has in its
// environment.
class place {
public:
  explicit place(const std::string& http = {}) : configured_({}, 1, http) {}

  [[nodiscard]] program_end run(const std::vector<std::string>& argv, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> environment{"FERRY_TEST_OF=" + configured_.data().string(),
                                         "FERRY_CONFIG=" + configured_.config().string()};
    environment.insert(environment.end(), more.begin(), more.end());
    return run_program(argv, environment);
  }
  [[nodiscard]] program_end ferry(std::vector<std::string> words, const std::vector<std::string>& more = {}) const {
    words.insert(words.begin(), FERRY_PROGRAM);
    return run(words, more);
  }
  [[nodiscard]] json ferry_json(std::vector<std::string> words) const {
    words.insert(words.end(), {"--format", "json"});
    const auto ended = ferry(std::move(words));
    INFO(ended.output);
    REQUIRE(ended.status == 0);
    return json::parse(ended.output);
  }
  daemon_process& configured() { return configured_; }

private:
  daemon_process configured_;
};

bool says(const program_end& ended, const std::string& text) { return ended.output.find(text) != std::string::npos; }

// A port that somebody else listens on.
class taken_port {
public:
  taken_port() : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(descriptor_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(descriptor_, 1) == 0);
    REQUIRE(::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    name_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  ~taken_port() { ::close(descriptor_); }
  taken_port(const taken_port&) = delete;
  taken_port& operator=(const taken_port&) = delete;
  [[nodiscard]] const std::string& name() const { return name_; }

private:
  int descriptor_;
  std::string name_;
};

} // namespace

TEST_CASE("ferry up starts a daemon and ferry down stops it, while its jobs go on") {
  place here("tcp.listen = \"127.0.0.1:0\"\n");
  const auto first = here.ferry_json({"up"});
  CHECK(first["started"] == true);
  CHECK(first["log"] == (here.configured().data() / "ferryd.log").string());
  CHECK(first["link"].get<std::string>().starts_with("http://127.0.0.1:"));
  const auto again = here.ferry({"up"});
  CHECK(again.status == 0);
  CHECK(says(again, "runs already (pid " + first["pid"].dump() + ")"));
  CHECK(says(again, first["link"]));
  CHECK(here.ferry({"up", "--print"}).output == here.ferry({"ui", "--print"}).output);

  const auto go = here.configured().directory() / "go";
  const std::string script = "while [ ! -e " + go.string() + " ]; do sleep 0.02; done";
  REQUIRE(here.ferry({"submit", "-q", "command", "--", "sh", "-c", script}).output == "1\n");
  eventually([&] { return here.ferry_json({"show", "1"})["phase"] == "running"; });
  const auto down = here.ferry({"down"});
  CHECK(down.status == 0);
  CHECK(says(down, "(pid " + first["pid"].dump() + ") has stopped; 1 running job goes on"));
  CHECK(here.ferry({"status"}).status == 3);
  const auto none = here.ferry({"down"});
  CHECK(none.status == 0);
  CHECK(none.output == "no daemon runs\n");

  CHECK(here.ferry_json({"up"})["started"] == true);
  std::ofstream(go).put('\n');
  CHECK(here.ferry({"wait", "1"}).status == 0);
  CHECK(here.ferry({"down"}).status == 0);
}

TEST_CASE("a daemon that ferry up starts holds nothing of who called it") {
  place here;
  const std::string program = FERRY_PROGRAM;
  // Either pipe would stay open for as long as the daemon lives, and so would this command.
  const auto piped = here.run({"sh", "-c", "{ " + program + " up 3>&1 | cat; } 2>&1"});
  CHECK(says(piped, "has started"));
  CHECK(says(piped, "no link to the page: the daemon does not listen on TCP"));
  const auto pid = here.ferry_json({"up"})["pid"].dump();
  CHECK(std::filesystem::read_symlink("/proc/" + pid + "/cwd") == "/");
  CHECK(::getsid(std::stoi(pid)) == std::stoi(pid));
  CHECK(here.ferry({"down"}).status == 0);
}

TEST_CASE("two that say ferry up at once start one daemon") {
  place here;
  const std::string up = std::string(FERRY_PROGRAM) + " up 2>/dev/null";
  const auto both = here.run({"sh", "-c", up + " & " + up + " & wait"});
  CHECK(says(both, "has started"));
  CHECK(says(both, "runs already"));
  CHECK(here.ferry({"down"}).status == 0);
}

TEST_CASE("ferry up tells why the daemon did not start") {
  const taken_port port;
  place here("tcp.listen = \"" + port.name() + "\"\n");
  const auto refused = here.ferry({"up"});
  CHECK(refused.status == 3);
  CHECK(says(refused,
             "ferryd ended with status 1 before it served (its log is " + (here.configured().data() / "ferryd.log").string()));
  CHECK(says(refused, port.name()));

  std::ofstream(here.configured().config(), std::ios::app) << "\n[storge]\n";
  const auto misconfigured = here.ferry({"up"});
  CHECK(misconfigured.status == 2);
  CHECK(says(misconfigured, "storge"));
  CHECK(here.ferry({"up", "--config", "/nowhere.toml"}).status == 5);
}

TEST_CASE("ferry up starts no daemon at another socket than it asks") {
  place here;
  const auto elsewhere = here.configured().directory() / "other.sock";
  const auto refused = here.ferry({"up"}, {"FERRY_SOCKET=" + elsewhere.string()});
  CHECK(refused.status == 2);
  CHECK(says(refused, here.configured().socket().string()));
  CHECK(says(refused, "FERRY_SOCKET says " + elsewhere.string()));
  // A file that is named has its own socket; then others have to be told.
  const auto named = here.ferry({"up", "--config", here.configured().config().string()}, {"FERRY_SOCKET=" + elsewhere.string()});
  CHECK(named.status == 0);
  CHECK(says(named, "export FERRY_SOCKET=" + here.configured().socket().string()));
  CHECK(here.ferry({"down"}).status == 0);
}

TEST_CASE("a daemon that a service manager starts says when it takes jobs and when it stops") {
  place here;
  const auto told = (here.configured().directory() / "notify").string();
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::ranges::copy(told, address.sun_path);
  REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  const timeval limit{.tv_sec = 60, .tv_usec = 0};
  REQUIRE(::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
  const auto next = [&] {
    char text[64];
    const ssize_t size = ::recv(fd, text, sizeof text, 0);
    return std::string(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  };
  REQUIRE(here.run({"sh", "-c", "NOTIFY_SOCKET=" + told + " " FERRYD_PROGRAM " >/dev/null 2>&1 &"}).status == 0);
  CHECK(next() == "READY=1");
  CHECK(here.ferry({"status"}).status == 0);
  CHECK(here.ferry({"down"}).status == 0);
  CHECK(next() == "STOPPING=1");
  ::close(fd);
}
