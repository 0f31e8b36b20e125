#include "cli/foreground.hpp"

#include "cli/terminal.hpp"
#include "cli/text.hpp"
#include "config/limits.hpp"
#include "runners/line_splitter.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace ferry::cli {
namespace {

std::atomic<pid_t> program_pid{0};
static_assert(std::atomic<pid_t>::is_always_lock_free, "read by a signal handler");

extern "C" void pass_on(int signal) {
  if (const pid_t pid = program_pid; pid > 0)
    ::kill(pid, signal);
}

// Sets how signals are answered while the program runs, and puts it back.
class signals_meanwhile {
public:
  signals_meanwhile() {
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      struct sigaction answer {};
      answer.sa_handler = numbers[i] == SIGTERM || numbers[i] == SIGHUP ? pass_on : SIG_IGN;
      answer.sa_flags = SA_RESTART;
      ::sigaction(numbers[i], &answer, &before_[i]);
    }
  }
  ~signals_meanwhile() { restore(); }
  signals_meanwhile(const signals_meanwhile&) = delete;
  signals_meanwhile& operator=(const signals_meanwhile&) = delete;
  void restore() const {
    for (std::size_t i = 0; i < numbers.size(); ++i)
      ::sigaction(numbers[i], &before_[i], nullptr);
  }

private:
  static constexpr std::array numbers{SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGPIPE};
  std::array<struct sigaction, numbers.size()> before_{};
};

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> all;
  for (std::string& word : words)
    all.push_back(word.data());
  all.push_back(nullptr);
  return all;
}

// In the child: becomes the program, or reports errno and which step failed.
[[noreturn]] void become(const std::string& directory, char* const* argv, char** environment, int report_to,
                         const std::array<int, 2>& streams) {
  std::array<int, 2> failed{0, 0};
  for (int number = 0; number < 2; ++number)
    if (streams.at(static_cast<std::size_t>(number)) >= 0)
      ::dup2(streams.at(static_cast<std::size_t>(number)), number);
  if (::chdir(directory.c_str()) == 0) {
    environ = environment;
    ::execvp(argv[0], argv);
    failed[1] = 1;
  }
  failed[0] = errno;
  const ssize_t written = ::write(report_to, failed.data(), sizeof failed);
  static_cast<void>(written);
  ::_exit(127);
}

// A conversation with the program by pipes, until it closes its output.
class dialogue {
public:
  explicit dialogue(const foreground_program& what) : what_(what) {}
  [[nodiscard]] bool make() {
    if (!what_.converse)
      return true;
    return ::pipe2(in_.data(), O_CLOEXEC) == 0 && ::pipe2(out_.data(), O_CLOEXEC) == 0;
  }
  ~dialogue() {
    for (const int end : {in_[0], in_[1], out_[0], out_[1]})
      if (end >= 0)
        ::close(end);
  }
  dialogue(const dialogue&) = delete;
  dialogue& operator=(const dialogue&) = delete;

  [[nodiscard]] std::array<int, 2> of_program() const { return {in_[0], out_[1]}; }
  void hold() {
    if (!what_.converse)
      return;
    close(in_[0]);
    close(out_[1]);
    std::array<char, 65536> room{};
    runners::line_splitter lines(limits::worker_said_bytes_max);
    for (;;) {
      const ssize_t size = ::read(out_[0], room.data(), room.size());
      if (size < 0 && errno == EINTR)
        continue;
      if (size <= 0)
        return;
      lines.feed({room.data(), static_cast<std::size_t>(size)}, [this](std::string_view line) { answer(line); });
    }
  }

private:
  static void close(int& end) {
    if (end >= 0)
      ::close(std::exchange(end, -1));
  }
  void answer(std::string_view line) {
    const auto told = what_.converse(line);
    if (!told)
      close(in_[1]);
    else if (in_[1] >= 0 && !told->empty() && !write_all(in_[1], *told))
      close(in_[1]); // it ends, or has closed its input
  }

  const foreground_program& what_;
  std::array<int, 2> in_{-1, -1}, out_{-1, -1};
};

} // namespace

result<int> run_in_foreground(const foreground_program& what) {
  std::vector<std::string> argv_words = what.argv, environment_words;
  for (const auto& [name, value] : what.environment)
    environment_words.push_back(name + "=" + value);
  const auto argv = pointers(argv_words);
  auto environment = pointers(environment_words);
  dialogue talk(what);
  std::array<int, 2> report{};
  if (!talk.make())
    return fail(error_code::io, std::string("no pipe can be made: ") + std::strerror(errno));
  if (::pipe2(report.data(), O_CLOEXEC) != 0)
    return fail(error_code::io, std::string("no pipe can be made: ") + std::strerror(errno));

  program_pid = 0;
  const signals_meanwhile signals;
  const pid_t pid = ::fork();
  if (pid == 0) {
    signals.restore();
    become(what.directory, argv.data(), environment.data(), report[1], talk.of_program());
  }
  const int fork_reason = errno;
  program_pid = pid;
  ::close(report[1]);
  std::array<int, 2> failed{0, 0};
  ssize_t got = 0;
  while (pid > 0 && (got = ::read(report[0], failed.data(), sizeof failed)) < 0 && errno == EINTR) {}
  ::close(report[0]);
  if (pid < 0)
    return fail(error_code::io, std::string("no process can be made: ") + std::strerror(fork_reason));
  if (got != static_cast<ssize_t>(sizeof failed))
    talk.hold();
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
  if (got == static_cast<ssize_t>(sizeof failed))
    return fail(error_code::invalid_argument, (failed[1] ? "the program " + printable(what.argv.front()) + " cannot be started: "
                                                         : "the directory " + printable(what.directory) + " cannot be entered: ") +
                                                  std::strerror(failed[0]));
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

} // namespace ferry::cli
