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
                           const std::string& node, const std::string& head_host)
    : head_("[storage]\ndata_dir = \"" + data().string() + "\"\n[node]\njoin = \"" + head_host + ":" + std::to_string(head_port) +
            "\"\nname = \"" + name + "\"\n" + known.files("cutter") + node +
            "[devices.gpu]\nenabled = false\n[devices.cpu]\nslots = " + std::to_string(slots) + "\nmemory_mib = 4000\n") {
  change(types);
}

void node_process::change(const std::string& types) const { std::ofstream(scratch_.path() / "ferry.toml") << head_ << types; }

node_process::~node_process() {
  if (pid_ > 0)
    kill();
  end_jobs(data());
}

void node_process::start() {
  REQUIRE(pid_ == 0);
  auto words = under_;
  words.insert(words.end(), {FERRYD_PROGRAM, "--config", (scratch_.path() / "ferry.toml").string()});
  pid_ = spawn(words, scratch_.path() / "ferryd.log", {});
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

void node_process::wait_for_log(const std::string& words) const {
  CAPTURE(words);
  eventually([&] { return log().find(words) != std::string::npos; });
}

std::size_t node_process::run_directories() const {
  std::size_t count = 0;
  std::error_code failed;
  for (std::filesystem::directory_iterator at(data() / "node" / "runs", failed), end; !failed && at != end; at.increment(failed))
    count += at->path().filename().string().find_first_not_of("0123456789") == std::string::npos ? 1 : 0;
  return count;
}

} // namespace ferry::tests
