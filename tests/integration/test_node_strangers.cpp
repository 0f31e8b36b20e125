// Nodes: those that are not who they say they are, and those that are no nodes at all.
#include "tests/integration/node_lab.hpp"
#include "tests/support/file_text.hpp"

#include <arpa/inet.h>
#include <catch2/generators/catch_generators.hpp>
#include <fstream>
#include <sys/socket.h>
#include <unistd.h>

using namespace ferry;
using namespace ferry::tests;

namespace {

// A connection to the head by somebody who speaks no TLS.
class stranger {
public:
  explicit stranger(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
  }
  ~stranger() { ::close(socket_); }
  stranger(const stranger&) = delete;
  stranger& operator=(const stranger&) = delete;
  void say(const std::string& bytes) const {
    [[maybe_unused]] const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }

private:
  int socket_;
};

} // namespace

TEST_CASE("another machine under the name of a node that is connected is not let in") {
  head_with_nodes lab;
  node_process alpha(lab.known, lab.port, "alpha", far_type);
  alpha.start();
  lab.wait_for("alpha");
  const auto file = lab.scratch.path() / "diary";
  const auto id = lab.submit(diary(file));
  lab.running(id);
  eventually([&] { return executions_in(file).size() == 1; });
  const int slots = GENERATE(2, 1); // as the first; otherwise
  node_process other(lab.known, lab.port, "alpha", far_type, slots);
  other.start();
  other.wait_for_log("another machine is connected as node");
  CHECK(lab.node("alpha")["connected"] == true);
  CHECK(lab.job(id)["status"] == "running");
  std::ofstream(file.string() + ".go") << "go";
  const json job = lab.head.finished(id);
  CHECK(job["status"] == "completed");
  CHECK(job["attempts"] == 1);
  CHECK(executions_in(file).size() == 1);
}

TEST_CASE("P4 another machine under the name of a node that may still run something is not let in") {
  head_with_nodes lab;
  node_process alpha(lab.known, lab.port, "alpha", far_type);
  alpha.start();
  lab.wait_for("alpha");
  const auto file = lab.scratch.path() / "diary";
  const auto id = lab.submit(diary(file));
  lab.running(id);
  eventually([&] { return executions_in(file).size() == 1; });
  alpha.kill();
  if (GENERATE(false, true)) // the head knows the machine from its disk as well
    lab.head.crash_and_start();
  eventually([&] { return lab.node("alpha")["connected"] == false; });
  const int slots = GENERATE(2, 1); // as the first; otherwise
  node_process other(lab.known, lab.port, "alpha", far_type, slots);
  other.start();
  eventually([&] {
    const auto log = other.log();
    return log.find("may still run batch") != std::string::npos || log.find("joined the head") != std::string::npos;
  });
  INFO(other.log());
  CHECK(other.log().find("joined the head") == std::string::npos);
  CHECK(lab.job(id)["status"] == "running");
  other.kill();
  std::ofstream(file.string() + ".go") << "go";
  alpha.start();
  const json job = lab.head.finished(id);
  INFO(job.dump(2) << alpha.log());
  CHECK(job["status"] == "completed");
  CHECK(job["attempts"] == 1);
  CHECK(executions_in(file).size() == 1);
}

TEST_CASE("what a node may still run that is known no more can be given up by force, and its name is free") {
  const std::string type = far_type + "[job_types.lasting]\ncommand = [\"sleep\", \"1000\"]\ndevice = \"cpu\"\nmemory_mib = 2000\n"
                                      "survive_partition = true\n";
  head_with_nodes lab({}, type.substr(far_type.size()));
  node_process alpha(lab.known, lab.port, "alpha", type);
  alpha.start();
  lab.wait_for("alpha");
  const std::int64_t id = lab.head.post("/jobs", {{"type", "lasting"}})["id"];
  lab.running(id);
  eventually([&] { return alpha.job_processes().size() == 1; });
  alpha.kill();
  ferry::tests::end_jobs(alpha.data());
  lab.head.kill();
  std::filesystem::remove(lab.head.data() / "nodes.json"); // as where it was removed, and had just been given something
  lab.head.start();
  node_process other(lab.known, lab.port, "alpha", far_type);
  other.start();
  other.wait_for_log("may still run batch");
  CHECK(lab.head.refused("DELETE", "/nodes/alpha").code == error_code::conflict);
  CHECK(lab.head.refused("DELETE", "/nodes/beta?force=true").code == error_code::not_found);
  eventually([&] { return lab.head.connect()->send({"DELETE", "/nodes/alpha?force=true"}).has_value(); });
  lab.wait_for("alpha");
  CHECK(lab.job(id)["status"] != "running");
}

TEST_CASE("another machine may take the name of a node that has left with nothing to run, and lend other devices") {
  head_with_nodes lab;
  {
    node_process alpha(lab.known, lab.port, "alpha", far_type);
    alpha.start();
    lab.wait_for("alpha");
    CHECK(lab.head.finished(lab.submit("exit 0"))["status"] == "completed");
    CHECK(alpha.stop() == 0);
  }
  const int slots = GENERATE(2, 1);
  node_process other(lab.known, lab.port, "alpha", far_type, slots);
  other.start();
  lab.wait_for("alpha");
  CHECK(lab.node("alpha")["devices"][0]["slots"] == slots);
  CHECK(lab.head.finished(lab.submit("exit 0"))["status"] == "completed");
}

TEST_CASE("a node comes back with other devices and its job goes on") {
  head_with_nodes lab;
  node_process alpha(lab.known, lab.port, "alpha", far_type);
  alpha.start();
  lab.wait_for("alpha");
  const auto file = lab.scratch.path() / "diary";
  const auto id = lab.submit(diary(file));
  lab.running(id);
  eventually([&] { return executions_in(file).size() == 1; });
  alpha.kill();
  alpha.change("[job_types.more]\ncommand = [\"true\"]\n" + far_type);
  alpha.start();
  eventually([&] {
    return lab.node("alpha").dump().find("more") != std::string::npos ||
           alpha.log().find("joined the head", alpha.log().find("taken in")) != std::string::npos;
  });
  std::ofstream(file.string() + ".go") << "go";
  const json job = lab.head.finished(id);
  INFO(job.dump(2) << alpha.log());
  CHECK(job["status"] == "completed");
  CHECK(job["attempts"] == 1);
  CHECK(executions_in(file).size() == 1);
}

TEST_CASE("a node whose certificate is of another authority is not let in, and the head and its nodes go on") {
  head_with_nodes lab;
  node_process alpha(lab.known, lab.port, "alpha", far_type);
  alpha.start();
  lab.wait_for("alpha");
  const certificates others;
  node_process beta(others, lab.port, "beta", far_type);
  beta.start();
  beta.wait_for_log("lets this node in");
  CHECK(lab.node("beta").is_null());
  CHECK(lab.head.finished(lab.submit("exit 0"))["status"] == "completed");
  CHECK(beta.stop() == 0);
}

TEST_CASE("strangers who send rubbish, or nothing, keep no node from the head") {
  head_with_nodes lab;
  std::vector<std::unique_ptr<stranger>> strangers;
  const std::string hello("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11); // the beginning of a TLS handshake
  for (int i = 0; i < 8; ++i)
    for (const std::string& what : {std::string(), std::string("GET / HTTP/1.1\r\n\r\n"), std::string(65'536, '\xff'), hello}) {
      strangers.push_back(std::make_unique<stranger>(lab.port));
      strangers.back()->say(what);
    }
  node_process alpha(lab.known, lab.port, "alpha", far_type);
  alpha.start();
  lab.wait_for("alpha");
  CHECK(lab.head.finished(lab.submit("exit 0"))["status"] == "completed");
  strangers.clear();
  CHECK(lab.head.finished(lab.submit("exit 0"))["status"] == "completed");
}

TEST_CASE("strangers who hang up at once break no connection of a node") {
  head_with_nodes lab;
  node_process alpha(lab.known, lab.port, "alpha", far_type);
  alpha.start();
  lab.wait_for("alpha");
  const auto count = [&] {
    const auto log = alpha.log();
    std::size_t found = 0;
    for (auto at = log.find("joined the head"); at != std::string::npos; at = log.find("joined the head", at + 1))
      ++found;
    return found;
  };
  const auto before = count();
  for (int i = 0; i < 20; ++i) {
    { const stranger one(lab.port); }
    CHECK(lab.head.finished(lab.submit("exit 0"))["status"] == "completed");
  }
  CHECK(count() == before);
}

TEST_CASE("a node that is given a name that no node can have says so and does not start") {
  head_with_nodes lab;
  node_process odd(lab.known, lab.port, "../alpha", far_type);
  odd.start();
  odd.wait_for_log("a node's name is made of");
  CHECK(lab.head.get("/nodes")["nodes"].empty());
}
