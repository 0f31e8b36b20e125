#include "ferry_process.hpp"

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

namespace ferry::cli::test {
namespace {

struct pipe_ends {
  int read = -1, write = -1;
};

pipe_ends make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    throw std::runtime_error("no pipe");
  return {ends[0], ends[1]};
}

pipe_ends make_terminal(int columns) {
  winsize size{.ws_row = 24, .ws_col = static_cast<unsigned short>(columns), .ws_xpixel = 0, .ws_ypixel = 0};
  pipe_ends ends;
  if (::openpty(&ends.read, &ends.write, nullptr, nullptr, &size) != 0)
    SKIP("this machine gives no pseudo-terminal: /dev/pts is not mounted");
  ::fcntl(ends.read, F_SETFD, FD_CLOEXEC);
  ::fcntl(ends.write, F_SETFD, FD_CLOEXEC);
  return ends;
}

void close_one(int& descriptor) {
  if (descriptor >= 0)
    ::close(descriptor);
  descriptor = -1;
}

// Reads one piece; closes the descriptor at its end (a terminal ends with EIO).
void drain(int& descriptor, std::string& into) {
  std::array<char, 65536> piece{};
  const ssize_t got = ::read(descriptor, piece.data(), piece.size());
  if (got > 0)
    into.append(piece.data(), static_cast<std::size_t>(got));
  else if (got == 0 || errno != EINTR)
    close_one(descriptor);
}

void exchange(int input, const std::string& text, int out, int err, ran& result) {
  std::size_t written = 0;
  while (out >= 0 || err >= 0) {
    if (input >= 0 && written == text.size())
      close_one(input);
    std::array<pollfd, 3> ends{pollfd{input, POLLOUT, 0}, pollfd{out, POLLIN, 0}, pollfd{err, POLLIN, 0}};
    if (::poll(ends.data(), ends.size(), -1) < 0)
      continue;
    if (ends[0].revents != 0) {
      const ssize_t n = ::write(input, text.data() + written, text.size() - written);
      if (n < 0)
        close_one(input);
      else
        written += static_cast<std::size_t>(n);
    }
    if (ends[1].revents != 0)
      drain(out, result.out);
    if (ends[2].revents != 0)
      drain(err, result.err);
  }
  close_one(input);
}

std::vector<std::string> environment_of(const how& h) {
  std::map<std::string, std::string> all{{"LANG", "C.UTF-8"}, {"TZ", "UTC"}, {"TERM", "xterm"}};
  for (const char* name : {"PATH", "HOME", "TMPDIR"})
    if (const char* value = std::getenv(name))
      all[name] = value;
  if (h.socket)
    all["FERRY_SOCKET"] = h.socket->string();
  for (const auto& [name, value] : h.environment)
    all[name] = value;
  std::vector<std::string> words;
  for (const auto& [name, value] : all)
    words.push_back(name + "=" + value);
  return words;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> all;
  for (std::string& word : words)
    all.push_back(word.data());
  all.push_back(nullptr);
  return all;
}

} // namespace

ran run_program(const std::vector<std::string>& argv_words, const how& h) {
  ::signal(SIGPIPE, SIG_IGN);
  auto words = argv_words;
  auto variables = environment_of(h);
  const auto argv = pointers(words);
  const auto environment = pointers(variables);
  pipe_ends input = make_pipe();
  pipe_ends out = h.columns > 0 ? make_terminal(h.columns) : make_pipe();
  pipe_ends err = h.columns > 0 ? pipe_ends{} : make_pipe();
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::signal(SIGPIPE, SIG_DFL);
    ::dup2(input.read, STDIN_FILENO);
    ::dup2(out.write, STDOUT_FILENO);
    ::dup2(h.columns > 0 ? out.write : err.write, STDERR_FILENO);
    if (::chdir(h.directory.c_str()) == 0)
      ::execvpe(argv[0], argv.data(), environment.data());
    ::_exit(126);
  }
  close_one(input.read);
  close_one(out.write);
  close_one(err.write);
  ran result;
  exchange(input.write, h.input, out.read, err.read, result);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
  result.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return result;
}

ran run_ferry(const std::vector<std::string>& words, const how& h) {
  std::vector<std::string> argv{FERRY_PROGRAM};
  argv.insert(argv.end(), words.begin(), words.end());
  return run_program(argv, h);
}

} // namespace ferry::cli::test
