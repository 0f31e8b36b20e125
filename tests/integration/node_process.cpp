#include "tests/integration/node_process.hpp"

#include "tests/support/file_text.hpp"

#include <arpa/inet.h>
#include <csignal>
#include <fstream>
#include <sys/socket.h>
#include <unistd.h>

namespace ferry::tests {

int free_port() {
  const int one = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(one, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::getsockname(one, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  ::close(one);
  return ntohs(address.sin_port);
}

node_process::node_process(const certificates& known, int head_port, const std::string& name, const std::string& types, int slots,
                           const std::string& node) {
  std::ofstream(scratch_.path() / "ferry.toml")
      << "[storage]\ndata_dir = \"" << data().string() << "\"\n[node]\njoin = \"127.0.0.1:" << head_port << "\"\nname = \"" << name
      << "\"\n"
      << known.files("cutter") << node << "[devices.gpu]\nenabled = false\n[devices.cpu]\nslots = " << slots
      << "\nmemory_mib = 4000\n"
      << types;
}

node_process::~node_process() {
  if (pid_ > 0)
    kill();
  end_jobs(data());
}

void node_process::start() {
  REQUIRE(pid_ == 0);
  pid_ = spawn({FERRYD_PROGRAM, "--config", (scratch_.path() / "ferry.toml").string()}, scratch_.path() / "ferryd.log", {});
}

void node_process::kill() {
  ::kill(pid_, SIGKILL);
  wait_for(pid_);
  pid_ = 0;
}

int node_process::stop() {
  ::kill(pid_, SIGTERM);
  const int status = wait_for(pid_);
  pid_ = 0;
  return status;
}

void node_process::freeze() const { ::kill(pid_, SIGSTOP); }
void node_process::thaw() const { ::kill(pid_, SIGCONT); }

std::string node_process::log() const { return text_of(scratch_.path() / "ferryd.log"); }

} // namespace ferry::tests
