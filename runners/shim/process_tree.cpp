#include "runners/shim/process_tree.hpp"

#include "runners/process_table.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <sys/wait.h>
#include <unistd.h>

namespace ferry::runners {
namespace {

constexpr std::chrono::milliseconds kill_pause_max{1000};

} // namespace

void process_tree::reap() {
  for (;;) {
    int status = 0;
    const pid_t ended = ::waitpid(-1, &status, WNOHANG);
    if (ended == pid_)
      status_ = status;
    if (ended == 0 || (ended < 0 && errno != EINTR)) {
      alone_ = ended < 0;
      return;
    }
  }
}

void process_tree::ask_to_end() const {
  signal(SIGTERM);
  signal(SIGCONT); // what is stopped could not heed the first
}

process_tree::clock::time_point process_tree::kill() {
  signal(SIGKILL);
  const auto next = clock::now() + kill_pause_;
  kill_pause_ = std::min<std::chrono::milliseconds>(kill_pause_ * 2, kill_pause_max);
  return next;
}

void process_tree::signal(int number) const {
  // The pid cannot have been given to another while its process is not waited for.
  if (!status_)
    ::kill(-pid_, number);
  for (const process_entry& process : descendants_of({::getpid()}, list_processes()))
    if (status_ || process.group != pid_)
      send_signal(process, number);
}

std::string describe_end(int status) {
  if (WIFEXITED(status))
    return "status " + std::to_string(WEXITSTATUS(status));
  const char* name = sigdescr_np(WTERMSIG(status));
  return "signal " + std::to_string(WTERMSIG(status)) + (name ? " (" + std::string(name) + ")" : "");
}

} // namespace ferry::runners
