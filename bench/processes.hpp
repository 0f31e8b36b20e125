// Starting programs, with posix_spawn as ferry does.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <sys/types.h>
#include <vector>

namespace ferry::bench {

struct program {
  std::vector<std::string> argv;                       // argv[0] is looked up in PATH
  std::map<std::string, std::string> environment = {}; // set beside what this process has
  std::filesystem::path output = "/dev/null";          // of both streams; appended to
};

// An argument list and an environment as exec wants them, made once for many starts.
class prepared_program {
public:
  explicit prepared_program(const program& what);
  // The pid. Throws where the program cannot be started.
  [[nodiscard]] pid_t spawn();
  // Spawns and waits. Throws when it does not end with status 0.
  void run();

private:
  program what_;
  std::vector<std::string> environment_;
  std::vector<char*> argv_, envp_;
};

// The exit status; 128 + signal where it was ended by one.
int wait_for(pid_t pid);
[[nodiscard]] bool is_installed(const std::string& name);

// A program that runs until it is stopped or this goes.
class service {
public:
  explicit service(const program& what);
  ~service() { stop(); }
  service(const service&) = delete;
  service& operator=(const service&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool has_ended();
  // Sends `signal` and waits until it has ended.
  void stop(int signal = 15);

private:
  pid_t pid_ = 0;
};

} // namespace ferry::bench
