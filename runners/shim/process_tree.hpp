// A process that the shim started, and all that descends from it. The shim is the reaper of orphans below it, so whatever leaves
// the process group or outlives its parent is still found and waited for.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace ferry::runners {

class process_tree {
public:
  using clock = std::chrono::steady_clock;

  process_tree() = default;
  // `pid` leads a session and group of its own, and is a child of this process.
  explicit process_tree(int pid) : pid_(pid) {}

  [[nodiscard]] int pid() const { return pid_; }
  // Waits for what has ended, without waiting.
  void reap();
  // Of the process itself, as waitpid(2) gives it; nothing while it lives.
  [[nodiscard]] std::optional<int> status() const { return status_; }
  // Nothing of it lives any more.
  [[nodiscard]] bool is_gone() const { return status_ && alone_; }

  // TERM to everything, also to what is stopped.
  void ask_to_end() const;
  // KILL to everything; when to do so again, should something still live then.
  [[nodiscard]] clock::time_point kill();

private:
  void signal(int number) const;

  int pid_ = 0;
  std::optional<int> status_;
  bool alone_ = false; // no child is left
  std::chrono::milliseconds kill_pause_{10};
};

// "status 3", "signal 9 (Killed)".
[[nodiscard]] std::string describe_end(int status);

} // namespace ferry::runners
