// Programs on other machines: the C++ client against a real daemon, over mutual TLS, and strangers who have no certificate.
#include "remote/connecting.hpp"
#include "remote/tls_files.hpp"
#include "tests/integration/certificates.hpp"
#include "tests/integration/daemon_process.hpp"
#include "tests/support/file_text.hpp"
#include <ferry/client.hpp>

#include <arpa/inet.h>
#include <caf/actor_system.hpp>
#include <caf/send.hpp>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <sys/socket.h>
#include <unistd.h>

using namespace ferry;
using namespace std::chrono_literals;
using ferry::tests::certificates;
using ferry::tests::daemon_process;
using ferry::tests::eventually;
using ferry::tests::run_program;
using ferry::tests::scratch_directory;

namespace {

client_options options_of(const certificates& known, std::uint16_t port, const std::string& name = "cutter") {
  return {
      .port = port, .certificate = known.file(name + ".pem"), .key = known.file(name + ".key"), .authority = known.file("ca.pem")};
}

struct open_daemon {
  open_daemon() : daemon(known.node_options(), 2) { daemon.start(); }

  // Where it lets programs in: the last that its log tells.
  std::uint16_t port() {
    constexpr std::string_view words = "reach it at 127.0.0.1:";
    std::string log;
    eventually([&] { return (log = tests::text_of(daemon.directory() / "ferryd.log")).find(words) != log.npos; });
    return static_cast<std::uint16_t>(std::stoi(log.substr(log.rfind(words) + words.size())));
  }
  std::unique_ptr<client> connect() {
    auto made = client::connect(options_of(known, port()));
    INFO((made ? "" : to_string(made.error())));
    REQUIRE(made);
    return std::move(*made);
  }

  certificates known;
  daemon_process daemon;
};

job_description script(const std::string& line, const std::string& name = {}) {
  return {.type = "command", .params = json{{"argv", {"sh", "-c", line}}}.dump(), .name = name};
}

// What a subscription told.
class listener {
public:
  auto hear() {
    return [this](const followed_event& what) {
      const std::lock_guard lock(mutex_);
      heard_.push_back(what);
      changed_.notify_all();
    };
  }
  template <class Event, class Condition>
  void wait_for(Condition condition) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, 60s, [&] {
      return std::any_of(heard_.begin(), heard_.end(), [&](const followed_event& one) {
        const auto* event = std::get_if<Event>(&one);
        return event && condition(*event);
      });
    }));
  }
  void wait_for_state(std::int64_t id, const std::string& state) {
    wait_for<job_change>([&](const job_change& e) { return e.id == id && e.state == state; });
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<followed_event> heard_;
};

int connected(std::uint16_t port) {
  const int one = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(one, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
  return one;
}

} // namespace

TEST_CASE("a program on another machine submits, waits, cancels, and follows what happens") {
  open_daemon open;
  auto queue = open.connect();
  CHECK(queue->daemon_version() == open.daemon.get("/status")["version"]);
  listener heard;
  const auto following = queue->follow(heard.hear());
  const auto go = (open.daemon.directory() / "go").string();

  const auto ids = queue->submit(
      {script("echo hello; exit 0", "one"), script("exit 3"), script("while ! test -e " + go + "; do sleep 0.02; done")});
  REQUIRE(ids);
  REQUIRE(ids->size() == 3);
  heard.wait_for_state(ids->at(0), "queued");
  const auto one = queue->wait(ids->at(0), 60s);
  REQUIRE(one);
  CHECK(one->state == "completed");
  CHECK(one->name == "one");
  CHECK(one->attempts == 1);
  CHECK(one->device == "cpu");
  CHECK((one->created_ms <= one->started_ms && one->started_ms <= one->finished_ms));
  heard.wait_for_state(ids->at(0), "completed");
  const auto two = queue->wait(ids->at(1), 60s);
  REQUIRE(two);
  CHECK(two->state == "failed");
  CHECK(two->failure_kind == "exit_status");
  CHECK(two->failure.find('3') != std::string::npos);

  heard.wait_for_state(ids->at(2), "running");
  const auto still = queue->wait(ids->at(2), 10ms);
  REQUIRE(still);
  CHECK(still->state == "running");
  CHECK(queue->cancel(ids->at(2), true).error().code == error_code::conflict);
  CHECK(queue->cancel(ids->at(2)));
  const auto cancelled = queue->wait(ids->at(2), 60s);
  REQUIRE(cancelled);
  CHECK(cancelled->state == "cancelled");
  heard.wait_for_state(ids->at(2), "cancelled");

  CHECK(queue->read(99).error().code == error_code::not_found);
}

TEST_CASE("what is wrong with a remote submit is told by name, nothing of it is stored, and the same key makes no second job") {
  open_daemon open;
  auto queue = open.connect();
  const auto refused = [&](job_description job) {
    const auto answer = queue->submit({script("true"), std::move(job)});
    REQUIRE_FALSE(answer);
    return to_string(answer.error());
  };
  CHECK(refused({.type = "nothing"}).find("nothing") != std::string::npos);
  CHECK(refused({.type = "command", .params = "[1"}).find("/jobs/1/params must be a JSON object, is [1") != std::string::npos);
  CHECK(refused({.type = "command", .params = std::string(200, '[')}).find("levels deep") != std::string::npos);
  CHECK(refused({.type = "command", .params = "{}"}).find("argv") != std::string::npos);
  auto urgent = script("true");
  urgent.priority = 101;
  CHECK(refused(urgent).find("/jobs/1/priority must be from 0 to 100, is 101") != std::string::npos);
  auto needy = script("true");
  needy.on_needs_failure = "panic";
  CHECK(refused(needy).find("panic") != std::string::npos);
  CHECK(open.daemon.get("/jobs")["jobs"].empty());

  const auto first = queue->submit({script("true")}, "night 7");
  const auto again = queue->submit({script("true")}, "night 7");
  REQUIRE((first && again));
  CHECK(*first == *again);
  const auto other = queue->submit({script("false")}, "night 7");
  CHECK(other.error().code == error_code::conflict);
  CHECK(open.daemon.get("/jobs")["jobs"].size() == 1);
}

TEST_CASE("the progress of a job of another machine's is followed") {
  open_daemon open;
  auto queue = open.connect();
  listener heard;
  const auto following = queue->follow(heard.hear());
  const auto go = (open.daemon.directory() / "go").string();
  const auto ids = queue->submit(
      {script(R"(echo '{"type":"progress","step":3,"total":12,"message":"drawing"}' >> $FERRY_EVENTS; while ! test -e )" + go +
              "; do sleep 0.02; done")});
  REQUIRE(ids);
  heard.wait_for<progress_event>(
      [&](const progress_event& e) { return e.id == ids->front() && e.step == 3 && e.total == 12 && e.message == "drawing"; });
  std::ofstream(go) << "";
  heard.wait_for_state(ids->front(), "completed");
}

TEST_CASE("over a crash of the daemon a client connects again, follows on, and says what it cannot know") {
  open_daemon open;
  std::ofstream(open.daemon.config(), std::ios::app) << ""; // the port has to stay: see below
  const auto port = open.port();
  const auto text = tests::text_of(open.daemon.config());
  const std::string any = "127.0.0.1:0";
  std::ofstream(open.daemon.config()) << std::string(text).replace(text.find(any), any.size(), "127.0.0.1:" + std::to_string(port));
  auto queue = open.connect();
  listener heard;
  const auto following = queue->follow(heard.hear());
  const auto before = queue->submit({script("true")});
  REQUIRE(before);
  heard.wait_for_state(before->front(), "completed");
  open.daemon.kill();
  const auto away = queue->read(before->front());
  CHECK(away.error().code == error_code::unavailable);
  open.daemon.start();
  std::optional<job_status> seen;
  eventually([&] {
    const auto read = queue->read(before->front());
    if (read)
      seen = *read;
    return read.has_value();
  });
  CHECK(seen->state == "completed");
  heard.wait_for<events_missed>([](const events_missed& e) { return e.why.find("another start") != std::string::npos; });
  const auto after = queue->submit({script("true")});
  REQUIRE(after);
  heard.wait_for_state(after->front(), "completed");
}

TEST_CASE("nobody gets in without a certificate of the authority, and the daemon goes on whatever they send") {
  open_daemon open;
  const auto port = open.port();
  const certificates foreign;
  auto mixed = options_of(foreign, port);
  mixed.patience = 3s;
  const auto stranger = client::connect(mixed);
  REQUIRE_FALSE(stranger);
  CHECK(stranger.error().code == error_code::unavailable);
  mixed.authority = open.known.file("ca.pem");
  const auto pretender = client::connect(mixed);
  REQUIRE_FALSE(pretender);
  CHECK(to_string(pretender.error()).find("cutter.pem") != std::string::npos);
  // Those that do not look at their own certificate first hear it from the daemon.
  for (const std::string& shown : {std::string(), " -cert " + foreign.file("cutter.pem") + " -key " + foreign.file("cutter.key")}) {
    const auto spoken = run_program({"sh", "-c",
                                     "(echo hello; sleep 0.5) | openssl s_client -connect 127.0.0.1:" + std::to_string(port) +
                                         " -CAfile " + open.known.file("ca.pem") + shown});
    INFO(spoken.output);
    CHECK(spoken.output.find("alert") != std::string::npos);
  }

  std::vector<int> idle;
  for (int i = 0; i < 300; ++i)
    idle.push_back(connected(port));
  const std::string rubbish(64 * 1024, '\x7f');
  for (int i = 0; i < 20; ++i) {
    const int one = connected(port);
    ::send(one, rubbish.data(), rubbish.size(), MSG_NOSIGNAL);
    idle.push_back(one);
  }
  auto queue = open.connect();
  const auto ids = queue->submit({script("true")});
  REQUIRE(ids);
  CHECK(queue->wait(ids->front(), 60s)->state == "completed");
  for (const int one : idle)
    ::close(one);
  CHECK(open.daemon.get("/status")["counts"]["completed"] == 1);
}

TEST_CASE("certificates that are taken away after the start do no harm; those that are missing at the start are named") {
  open_daemon open;
  const auto kept = options_of(open.known, open.port());
  open.known.remove("head.pem");
  open.known.remove("head.key");
  auto queue = client::connect(kept);
  REQUIRE(queue);
  const auto ids = (*queue)->submit({script("true")});
  REQUIRE(ids);
  CHECK((*queue)->wait(ids->front(), 60s)->state == "completed");
  open.daemon.kill();
  const auto refused = open.daemon.start_refused();
  CHECK(refused.status != 0);
  CHECK(refused.output.find("head.pem") != std::string::npos);
}

TEST_CASE("a peer that ends what it speaks to ends nothing else, and another one takes its place") {
  open_daemon open;
  auto queue = open.connect();
  const auto ids =
      queue->submit({script("while ! test -e " + (open.daemon.directory() / "go").string() + "; do sleep 0.02; done")});
  REQUIRE(ids);
  const auto files = remote::tls_files::load(
      {open.known.file("cutter.pem"), open.known.file("cutter.key"), open.known.file("ca.pem")}, wall_clock_now());
  REQUIRE(files);
  caf::actor_system_config settings;
  files->set_up(settings);
  caf::actor_system system(settings);
  const auto gateway = remote::connect(system, "127.0.0.1", open.port());
  REQUIRE(gateway);
  caf::anon_send_exit(*gateway, caf::exit_reason::kill);
  eventually(
      [&] { return tests::text_of(open.daemon.directory() / "ferryd.log").find("it is started again") != std::string::npos; });
  std::optional<job_status> seen;
  eventually([&] {
    const auto read = queue->read(ids->front());
    if (read)
      seen = *read;
    return seen && seen->state == "running";
  });
  std::ofstream(open.daemon.directory() / "go") << "";
  eventually([&] {
    const auto end = queue->wait(ids->front(), 10s);
    return end && end->state == "completed";
  });
}

TEST_CASE("the example of a program in C++ submits to another machine and ends as its job does") {
  open_daemon open;
  const auto run = [&](std::vector<std::string> command) {
    std::vector<std::string> words{FERRY_EXAMPLE_CLIENT,          "127.0.0.1",
                                   std::to_string(open.port()),   open.known.file("cutter.pem"),
                                   open.known.file("cutter.key"), open.known.file("ca.pem")};
    words.insert(words.end(), command.begin(), command.end());
    return run_program(words);
  };
  const auto good = run({"true"});
  CHECK(good.status == 0);
  CHECK(good.output.find("completed") != std::string::npos);
  const auto bad = run({"sh", "-c", "exit 7"});
  CHECK(bad.status == 1);
  CHECK(bad.output.find("failed") != std::string::npos);
}
