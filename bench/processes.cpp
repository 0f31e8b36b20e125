#include "bench/processes.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sstream>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

namespace ferry::bench {

prepared_program::prepared_program(const program& what) : what_(what) {
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (!what_.environment.contains(text.substr(0, text.find('='))))
      environment_.push_back(text);
  }
  for (const auto& [name, value] : what_.environment)
    environment_.push_back(name + "=" + value);
  for (std::string& word : what_.argv)
    argv_.push_back(word.data());
  argv_.push_back(nullptr);
  for (std::string& entry : environment_)
    envp_.push_back(entry.data());
  envp_.push_back(nullptr);
}

pid_t prepared_program::spawn() {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, what_.output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  pid_t pid = 0;
  const int failed = ::posix_spawnp(&pid, argv_[0], &actions, nullptr, argv_.data(), envp_.data());
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0)
    throw std::runtime_error(what_.argv[0] + " cannot be started: " + std::strerror(failed));
  return pid;
}

void prepared_program::run() {
  if (const int status = wait_for(spawn()); status != 0)
    throw std::runtime_error(what_.argv[0] + " ended with status " + std::to_string(status));
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0)
    if (errno != EINTR)
      throw std::runtime_error(std::string("waitpid: ") + std::strerror(errno));
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool is_installed(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(std::string(path ? path : "") + ":/usr/sbin");
  for (std::string folder; std::getline(folders, folder, ':');)
    if (::access((std::filesystem::path(folder) / name).c_str(), X_OK) == 0)
      return true;
  return false;
}

service::service(const program& what) : pid_(prepared_program(what).spawn()) {}

bool service::has_ended() {
  int status = 0;
  if (pid_ != 0 && ::waitpid(pid_, &status, WNOHANG) == pid_)
    pid_ = 0;
  return pid_ == 0;
}

void service::stop(int signal) {
  if (pid_ == 0)
    return;
  ::kill(pid_, signal);
  wait_for(pid_);
  pid_ = 0;
}

} // namespace ferry::bench
