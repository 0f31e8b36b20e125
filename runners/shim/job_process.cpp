#include "runners/shim/job_process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ferry::runners {
namespace {

constexpr std::string_view path_default = "/usr/local/bin:/usr/bin:/bin";

struct lookup {
  std::string program; // empty: not found
  int why = ENOENT;    // then
};

// As execvp(3) looks, but in the PATH that the program itself will see.
lookup find_program(const run_spec& spec) {
  const std::string& name = spec.argv.front();
  if (name.find('/') != std::string::npos)
    return {name};
  const auto given = spec.environment.find("PATH");
  std::string_view path = given == spec.environment.end() ? path_default : std::string_view(given->second);
  lookup found;
  while (true) {
    const std::size_t end = path.find(':');
    std::filesystem::path folder = path.substr(0, end);
    const std::string candidate = (spec.directory / folder / name).string(); // an absolute folder stands for itself
    struct stat info {};
    if (::stat(candidate.c_str(), &info) == 0 && S_ISREG(info.st_mode)) {
      if (::access(candidate.c_str(), X_OK) == 0)
        return {candidate};
      found.why = EACCES;
    }
    if (end == std::string_view::npos)
      return found;
    path.remove_prefix(end + 1);
  }
}

// Which of the program and its working directory the system refused, for people.
error cannot_start(const run_spec& spec, int errno_value) {
  const std::string start = "cannot start '" + spec.argv.front() + "'";
  const auto refused = [&](const std::string& why) { return error{error_code::invalid_argument, start + why}; };
  const std::string place = " in '" + spec.directory.string() + "': ";
  struct stat info {};
  if (::stat(spec.directory.c_str(), &info) != 0)
    return refused(place + std::strerror(errno));
  if (!S_ISDIR(info.st_mode))
    return refused(place + std::strerror(ENOTDIR));
  if (::access(spec.directory.c_str(), X_OK) != 0)
    return refused(place + std::strerror(errno));
  if (errno_value == ENOENT && spec.argv.front().find('/') == std::string::npos)
    return refused(": not found in PATH");
  if (errno_value == ENOEXEC)
    return refused(": Exec format error (a script begins with a line such as #!/bin/sh)");
  return refused(std::string(": ") + std::strerror(errno_value));
}

// What the child needs, made before the fork.
struct image {
  std::string program;
  std::vector<std::string> assignments;
  std::vector<char*> argv, environment;

  image(const run_spec& spec, std::string found) : program(std::move(found)) {
    for (const auto& [name, value] : spec.environment)
      assignments.push_back(name + "=" + value);
    for (const std::string& word : spec.argv)
      argv.push_back(const_cast<char*>(word.c_str()));
    for (std::string& assignment : assignments)
      environment.push_back(assignment.data());
    argv.push_back(nullptr);
    environment.push_back(nullptr);
  }
};

constexpr int failure_fd = STDERR_FILENO + 1;

void default_signals() {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal)
    ::sigaction(signal, &action, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// In the child. Comes back with errno when something was refused.
int become(const run_spec& spec, const image& program, const std::array<int, 3>& streams) {
  for (int number = STDIN_FILENO; number <= STDERR_FILENO; ++number)
    if (::dup2(streams.at(static_cast<std::size_t>(number)), number) < 0)
      return errno;
  if (::chdir(spec.directory.c_str()) != 0)
    return errno;
  ::syscall(SYS_close_range, failure_fd + 1, ~0U, 0U);
  default_signals();
  ::execve(program.program.c_str(), program.argv.data(), program.environment.data());
  return errno;
}

// Out of the way of the numbers that they are to have; false: errno says why.
bool keep_streams(const standard_streams& from, std::array<int, 3>& kept) {
  const int nothing = from.input < 0 ? ::open("/dev/null", O_RDONLY | O_CLOEXEC) : from.input;
  const std::array<int, 3> given{nothing, from.output, from.errors};
  for (std::size_t i = 0; i < given.size(); ++i)
    if ((kept.at(i) = ::fcntl(given.at(i), F_DUPFD_CLOEXEC, failure_fd + 1)) < 0)
      return false;
  return true;
}

[[noreturn]] void wait_and_become(const run_spec& spec, const image& program, const standard_streams& streams, int gate,
                                  int failures) {
  ::setsid();
  char released = 0;
  ssize_t got = 0;
  while ((got = ::read(gate, &released, 1)) < 0 && errno == EINTR) {}
  if (got != 1) // the shim is gone: nothing was started
    ::_exit(0);
  std::array<int, 3> kept{};
  const bool all_kept = keep_streams(streams, kept);
  int why = errno;
  if (all_kept && (failures == failure_fd || ::dup3(failures, failure_fd, O_CLOEXEC) >= 0))
    why = become(spec, program, kept);
  [[maybe_unused]] const auto written = ::write(failure_fd, &why, sizeof why);
  ::_exit(127);
}

} // namespace

result<waiting_process> waiting_process::make(const run_spec& spec, const standard_streams& streams) {
  lookup found = find_program(spec);
  if (found.program.empty())
    return fail(cannot_start(spec, found.why));
  std::array<int, 2> gate{}, failures{};
  if (::pipe2(gate.data(), O_CLOEXEC) != 0)
    return fail(cannot_start(spec, errno));
  descriptor gate_out(gate[0]), gate_in(gate[1]);
  if (::pipe2(failures.data(), O_CLOEXEC) != 0)
    return fail(cannot_start(spec, errno));
  descriptor failures_out(failures[0]), failures_in(failures[1]);
  const image program(spec, std::move(found.program));
  const pid_t pid = ::fork();
  if (pid < 0)
    return fail(cannot_start(spec, errno));
  if (pid == 0) {
    ::close(gate[1]); // else it would wait for itself
    wait_and_become(spec, program, streams, gate[0], failures[1]);
  }
  return waiting_process(spec, pid, std::move(gate_in), std::move(failures_out));
}

result<void> waiting_process::let_go() {
  const char released = 1;
  while (::write(gate_.get(), &released, 1) < 0 && errno == EINTR) {}
  gate_.reset();
  int why = 0;
  ssize_t got = 0;
  while ((got = ::read(failures_.get(), &why, sizeof why)) < 0 && errno == EINTR) {}
  if (got != sizeof why)
    return {};
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {}
  return fail(cannot_start(*spec_, why));
}

} // namespace ferry::runners
