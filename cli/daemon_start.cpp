#include "cli/daemon_start.hpp"

#include "runners/descriptor.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

extern char** environ; // NOLINT: POSIX names it so

namespace ferry::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds start_within{60}; // a migration of a large queue takes seconds
constexpr int look_every_ms = 20;
constexpr std::size_t shown_lines = 10;
constexpr std::streamoff shown_bytes_max = 64 * 1024;

error trouble(const std::string& doing, int reason) { return {error_code::io, doing + ": " + std::strerror(reason)}; }

std::string find_ferryd() {
  std::error_code failed;
  const fs::path beside = fs::read_symlink("/proc/self/exe", failed).parent_path() / "ferryd";
  return ::access(beside.c_str(), X_OK) == 0 ? beside.string() : "ferryd";
}

// As the daemon makes it: for its owner alone.
result<void> make_data_dir(const fs::path& folder) {
  std::error_code failed;
  if (fs::is_directory(folder, failed))
    return {};
  fs::create_directories(folder.parent_path(), failed);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return tl::unexpected(trouble("the folder " + folder.string() + " cannot be made", errno));
  return {};
}

// The last lines of a file, of what stands behind `from`.
std::vector<std::string> last_lines(const fs::path& file, std::streamoff from) {
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  std::vector<std::string> lines;
  if (!in)
    return lines;
  const std::streamoff size = in.tellg();
  in.seekg(std::max(from, size - shown_bytes_max));
  for (std::string line; std::getline(in, line);)
    if (!line.empty())
      lines.push_back(std::move(line));
  if (lines.size() > shown_lines)
    lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(shown_lines));
  return lines;
}

// Its process, or errno.
tl::expected<pid_t, int> spawn(const daemon_start& what, const std::string& program, int output) {
  std::vector<std::string> words{program};
  if (!what.config_file.empty()) {
    words.emplace_back("--config");
    words.push_back(what.config_file.string());
  }
  std::vector<char*> pointers;
  for (std::string& word : words)
    pointers.push_back(word.data());
  pointers.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  for (const int stream : {STDOUT_FILENO, STDERR_FILENO})
    posix_spawn_file_actions_adddup2(&actions, output, stream);
  // A pipe of who calls must not stay open for as long as the daemon lives, nor its folder in use.
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  posix_spawn_file_actions_addchdir_np(&actions, "/");
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  ::unsetenv("NOTIFY_SOCKET"); // of a service that runs `ferry up`, and for which the daemon must not speak
  pid_t pid = 0;
  const int failed = ::posix_spawnp(&pid, pointers[0], &actions, &attributes, pointers.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0)
    return tl::unexpected(failed);
  return pid;
}

std::string how_it_ended(int status) {
  return WIFSIGNALED(status) ? "was ended by signal " + std::to_string(WTERMSIG(status))
                             : "ended with status " + std::to_string(WEXITSTATUS(status));
}

error not_serving(const daemon_start& what, const std::string& how, std::streamoff from) {
  const fs::path output = output_file(what.settings);
  error e{error_code::unavailable, "ferryd " + how, "its log is " + output.string(), {}};
  auto lines = last_lines(output, from);
  if (lines.empty() && !what.settings.log.file.empty()) {
    lines = last_lines(what.settings.log.file, 0);
    e.hint = "its log is " + what.settings.log.file.string();
  }
  for (const std::string& line : lines)
    e.problems.push_back({.where = {}, .what = line});
  return e;
}

} // namespace

fs::path output_file(const config::settings& settings) { return settings.storage.data_dir / "ferryd.log"; }

result<bool> start_daemon(const daemon_start& what, const std::function<bool()>& listens) {
  if (auto made = make_data_dir(what.settings.storage.data_dir); !made)
    return fail(made.error());
  const fs::path file = output_file(what.settings);
  const runners::descriptor output(::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  // Opened once more: a lock on what the daemon inherits would be its own, and last as long as it.
  const runners::descriptor lock(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!output || !lock)
    return tl::unexpected(trouble("the log " + file.string() + " cannot be opened", errno));
  while (::flock(lock.get(), LOCK_EX) != 0)
    if (errno != EINTR)
      return tl::unexpected(trouble("the log " + file.string() + " cannot be locked", errno));
  if (listens())
    return false; // who held the lock has started it

  const std::streamoff from = ::lseek(output.get(), 0, SEEK_END);
  const std::string program = find_ferryd();
  const auto pid = spawn(what, program, output.get());
  if (!pid && pid.error() == ENOENT)
    return fail(error_code::not_found, "there is no program ferryd, neither beside ferry nor in the PATH",
                "install both into one folder");
  if (!pid)
    return tl::unexpected(trouble(program + " cannot be started", pid.error()));
  const runners::descriptor process(static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0)));
  const auto deadline = std::chrono::steady_clock::now() + start_within;
  while (std::chrono::steady_clock::now() < deadline) {
    if (listens())
      return true;
    pollfd ended{process.get(), POLLIN, 0};
    ::poll(&ended, 1, look_every_ms);
    if (int status = 0; ::waitpid(*pid, &status, WNOHANG) == *pid)
      return tl::unexpected(not_serving(what, how_it_ended(status) + " before it served", from));
  }
  return tl::unexpected(not_serving(
      what, "(pid " + std::to_string(*pid) + ") does not serve yet, after " + std::to_string(start_within.count()) + " s", from));
}

} // namespace ferry::cli
