#include "runners/program_call.hpp"

#include "runners/descriptor.hpp"
#include "runners/run_directory.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>

namespace ferry::runners {
namespace {

using clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto look_pause = 100ms; // between looks whether it is abandoned
constexpr std::size_t complaint_bytes_max = 4096, complaint_shown_max = 300;

bool is_abandoned(const program_call& what) { return what.abandoned && *what.abandoned; }

struct pipe_ends {
  descriptor out, in;
};

result<pipe_ends> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    return fail(system_error("cannot make a pipe", errno));
  return pipe_ends{descriptor(ends[0]), descriptor(ends[1])};
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> all;
  for (const std::string& word : words)
    all.push_back(const_cast<char*>(word.c_str()));
  all.push_back(nullptr);
  return all;
}

// In a process group of its own, so that all of it can be ended. 0, or errno.
int spawn(const program_call& what, int output, int errors, pid_t& pid) {
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  sigset_t signals;
  ::sigemptyset(&signals);
  ::posix_spawnattr_setsigmask(&attributes, &signals);
  ::sigfillset(&signals);
  ::posix_spawnattr_setsigdefault(&attributes, &signals);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
  ::posix_spawn_file_actions_addchdir_np(&actions, "/");
  // It may outlive this process: then it must not hold its sockets and locks.
  ::posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  auto words = pointers(what.words), environment = pointers(what.environment);
  const int refused = ::posix_spawnp(&pid, words.front(), &actions, &attributes, words.data(), environment.data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  return refused;
}

// False: it has ended, or there is more than may be kept.
bool take(descriptor& from, std::string& into, std::size_t bytes_max) {
  std::array<char, 16'384> piece{};
  const ssize_t size = ::read(from.get(), piece.data(), piece.size());
  if (size < 0 && errno == EINTR)
    return true;
  if (size > 0)
    into.append(piece.data(), static_cast<std::size_t>(size));
  return size > 0 && into.size() <= bytes_max;
}

struct printed {
  std::string output, complaint;
  bool in_time = true;
};

printed listen(descriptor output, descriptor errors, clock::time_point until, const program_call& what) {
  printed all;
  while (output || errors) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock::now());
    if (left <= 0ms || is_abandoned(what)) {
      all.in_time = false;
      return all;
    }
    std::array<pollfd, 2> sources{{{output.get(), POLLIN, 0}, {errors.get(), POLLIN, 0}}};
    if (::poll(sources.data(), sources.size(), static_cast<int>(std::min<std::chrono::milliseconds>(left, look_pause).count())) <=
        0)
      continue;
    if (sources[0].revents != 0 && !take(output, all.output, what.bytes_max))
      output.reset();
    if (sources[1].revents != 0 && !take(errors, all.complaint, complaint_bytes_max))
      errors.reset();
  }
  return all;
}

// It closes its streams when it ends; one that closed them before is given no more time than the rest. Its status, or nothing: it
// was killed for that.
std::optional<int> wait_for(pid_t pid, clock::time_point until, const program_call& what) {
  int status = 0;
  for (auto pause = 1ms;; pause = std::min(pause * 2, 50ms)) {
    const pid_t ended = ::waitpid(pid, &status, WNOHANG);
    if (ended == pid)
      return status;
    if (ended < 0 && errno != EINTR)
      return std::nullopt;
    if (clock::now() >= until || is_abandoned(what))
      break;
    ::poll(nullptr, 0, static_cast<int>(pause.count()));
  }
  ::kill(-pid, SIGKILL);
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
  return std::nullopt;
}

// In one line.
std::string shown(std::string complaint) {
  complaint.resize(std::min(complaint.size(), complaint_shown_max));
  while (!complaint.empty() && complaint.back() == '\n')
    complaint.pop_back();
  std::string line;
  for (const char c : complaint)
    line += c == '\n' ? std::string("; ") : std::string(1, c);
  return line;
}

} // namespace

result<std::string> call(const program_call& what) {
  const std::string name = what.words.front();
  auto output = make_pipe(), errors = make_pipe();
  if (!output || !errors)
    return fail(!output ? output.error() : errors.error());
  pid_t pid = 0;
  if (const int refused = spawn(what, output->in.get(), errors->in.get(), pid); refused != 0)
    return fail(refused == ENOENT ? error_code::not_found : error_code::io, "cannot start " + name + ": " + std::strerror(refused),
                refused == ENOENT ? "it is looked for in PATH" : "");
  output->in.reset();
  errors->in.reset();
  const auto until = clock::now() + what.timeout;
  const auto said = listen(std::move(output->out), std::move(errors->out), until, what);
  const auto status = wait_for(pid, said.in_time ? until : clock::now(), what);
  if (said.output.size() > what.bytes_max)
    return fail(error_code::too_large, name + " printed more than " + std::to_string(what.bytes_max) + " bytes");
  if (!status && is_abandoned(what))
    return fail(error_code::unavailable, name + " was not waited for");
  if (!status)
    return fail(error_code::unavailable, name + " did not end within " + std::to_string(what.timeout.count() / 1000) + " s");
  if (*status == 0)
    return said.output;
  const std::string how =
      WIFEXITED(*status) ? "status " + std::to_string(WEXITSTATUS(*status)) : "signal " + std::to_string(WTERMSIG(*status));
  const std::string complaint = shown(said.complaint);
  return fail(error_code::unavailable, name + " ended with " + how + (complaint.empty() ? "" : ": " + complaint));
}

} // namespace ferry::runners
