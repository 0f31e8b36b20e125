#include "gpu/upscale/video/child_process.hpp"

#include "config/limits.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

extern char** environ; // NOLINT

namespace ferry::upscale {
namespace {

constexpr std::size_t complaints_bytes_max = 4096;
constexpr int pipe_bytes = 1024 * 1024; // a frame crosses in fewer turns

struct pipe_ends {
  int ours = -1, theirs = -1;
};

void close_both(const pipe_ends& ends) {
  for (const int fd : {ends.ours, ends.theirs})
    if (fd >= 0)
      ::close(fd);
}

// `we_write`: which end is ours.
bool make_pipe(pipe_ends& ends, bool we_write) {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0)
    return false;
  ends = we_write ? pipe_ends{fds[1], fds[0]} : pipe_ends{fds[0], fds[1]};
  (void)::fcntl(ends.ours, F_SETPIPE_SZ, pipe_bytes); // more than the user may have: the usual size does too
  return true;
}

void connect(posix_spawn_file_actions_t& actions, int theirs, int target, int flags) {
  if (theirs >= 0)
    posix_spawn_file_actions_adddup2(&actions, theirs, target);
  else
    posix_spawn_file_actions_addopen(&actions, target, "/dev/null", flags, 0);
}

// 0 or an errno.
int spawn(const std::vector<std::string>& argv, const pipe_ends& in, const pipe_ends& out, const pipe_ends& err, pid_t& pid) {
  std::vector<char*> words;
  for (const std::string& word : argv)
    words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  connect(actions, in.theirs, STDIN_FILENO, O_RDONLY);
  connect(actions, out.theirs, STDOUT_FILENO, O_WRONLY);
  connect(actions, err.theirs, STDERR_FILENO, O_WRONLY);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, usual; // what this program ignores or holds back is its own affair
  sigemptyset(&none);
  sigemptyset(&usual);
  for (const int signal : {SIGPIPE, SIGTERM, SIGINT})
    sigaddset(&usual, signal);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &usual);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  const int refused = posix_spawnp(&pid, words[0], &actions, &attributes, words.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return refused;
}

} // namespace

result<std::unique_ptr<child_process>> child_process::start(const setup& what) {
  pipe_ends in, out, err;
  if ((what.is_fed && !make_pipe(in, true)) || (what.is_read && !make_pipe(out, false)) || !make_pipe(err, false)) {
    const std::string why = std::generic_category().message(errno);
    for (const pipe_ends& ends : {in, out, err})
      close_both(ends);
    return fail(error_code::io, "no pipe to " + what.argv.front() + " can be made: " + why);
  }
  std::unique_ptr<child_process> child(new child_process);
  const int refused = spawn(what.argv, in, out, err, child->pid_);
  for (const pipe_ends& ends : {in, out, err})
    if (ends.theirs >= 0)
      ::close(ends.theirs);
  child->input_ = in.ours;
  child->output_ = out.ours;
  child->errors_ = err.ours;
  if (refused == ENOENT)
    return fail(error_code::not_found, "the program " + what.argv.front() + ", which videos need, is not on PATH",
                "install the package ffmpeg");
  if (refused != 0)
    return fail(error_code::io,
                "the program " + what.argv.front() + " cannot be started: " + std::generic_category().message(refused));
  child->drainer_ = std::thread([self = child.get()] { self->drain(); });
  return child;
}

child_process::~child_process() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    (void)wait();
  }
  for (const int fd : {input_, output_, errors_})
    if (fd >= 0)
      ::close(fd);
}

void child_process::drain() {
  std::array<char, complaints_bytes_max> piece{};
  for (;;) {
    const ssize_t count = ::read(errors_, piece.data(), piece.size());
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return;
    const std::lock_guard lock(mutex_);
    complaints_.append(piece.data(), static_cast<std::size_t>(count));
    if (complaints_.size() > complaints_bytes_max)
      complaints_.erase(0, complaints_.size() - complaints_bytes_max);
  }
}

bool child_process::write(std::span<const unsigned char> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(input_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return false;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

void child_process::end_input() {
  if (input_ >= 0)
    ::close(std::exchange(input_, -1));
}

std::size_t child_process::read(std::span<unsigned char> bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::read(output_, bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

int child_process::wait() {
  if (pid_ <= 0)
    return status_;
  end_input();
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {}
  pid_ = -1;
  if (drainer_.joinable())
    drainer_.join();
  status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return status_;
}

std::string child_process::complaints() {
  const std::lock_guard lock(mutex_);
  std::string text = complaints_;
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r'))
    text.pop_back();
  return text;
}

result<std::string> output_of(const std::vector<std::string>& argv) {
  auto child = child_process::start({.argv = argv, .is_read = true});
  if (!child)
    return fail(std::move(child.error()));
  std::string all;
  std::array<unsigned char, 65536> piece{};
  for (;;) {
    const std::size_t count = (*child)->read(piece);
    all.append(reinterpret_cast<const char*>(piece.data()), count);
    if (all.size() > limits::program_output_bytes_max)
      return fail(error_code::too_large,
                  argv.front() + " says more than " + std::to_string(limits::program_output_bytes_max) + " bytes");
    if (count < piece.size())
      break;
  }
  if ((*child)->wait() != 0)
    return fail(error_code::damaged, first_line((*child)->complaints()));
  return all;
}

std::string first_line(const std::string& complaints) {
  std::string line = complaints.substr(0, complaints.find('\n'));
  // "[mov,mp4,m4a @ 0x55d0c8]": which object in ffmpeg's memory says so helps nobody.
  if (line.starts_with("["))
    if (const auto end = line.find("] "); end != std::string::npos)
      line.erase(0, end + 2);
  return line.empty() ? "it gives no reason" : line;
}

} // namespace ferry::upscale
