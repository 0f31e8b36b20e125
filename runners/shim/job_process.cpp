#include "runners/shim/job_process.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
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

class spawn_settings {
public:
  spawn_settings(const run_spec& spec, int output) {
    ::posix_spawnattr_init(&attributes_);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    sigset_t signals;
    ::sigemptyset(&signals);
    ::posix_spawnattr_setsigmask(&attributes_, &signals);
    ::sigfillset(&signals);
    ::posix_spawnattr_setsigdefault(&attributes_, &signals);
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, output, STDERR_FILENO);
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    ::posix_spawn_file_actions_addchdir_np(&actions_, spec.directory.c_str());
  }
  spawn_settings(const spawn_settings&) = delete;
  spawn_settings& operator=(const spawn_settings&) = delete;
  ~spawn_settings() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  [[nodiscard]] const posix_spawnattr_t* attributes() const { return &attributes_; }
  [[nodiscard]] const posix_spawn_file_actions_t* actions() const { return &actions_; }

private:
  posix_spawnattr_t attributes_{};
  posix_spawn_file_actions_t actions_{};
};

} // namespace

result<int> start_process(const run_spec& spec, int output) {
  const lookup found = find_program(spec);
  if (found.program.empty())
    return fail(cannot_start(spec, found.why));
  std::vector<std::string> assignments;
  for (const auto& [name, value] : spec.environment)
    assignments.push_back(name + "=" + value);
  std::vector<char*> argv, environment;
  for (const std::string& word : spec.argv)
    argv.push_back(const_cast<char*>(word.c_str()));
  for (std::string& assignment : assignments)
    environment.push_back(assignment.data());
  argv.push_back(nullptr);
  environment.push_back(nullptr);
  const spawn_settings settings(spec, output);
  pid_t pid = 0;
  const int refused =
      ::posix_spawn(&pid, found.program.c_str(), settings.actions(), settings.attributes(), argv.data(), environment.data());
  if (refused != 0)
    return fail(cannot_start(spec, refused));
  return pid;
}

} // namespace ferry::runners
