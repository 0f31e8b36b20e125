// The processes of this machine as /proc tells them. A process is known by its pid together with its start time (clock ticks since
// boot) and the boot id; a signal sent here never reaches another process that was given the same pid later.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ferry::runners {

struct process_entry {
  int pid = 0;
  int parent = 0;
  int group = 0;
  int session = 0;
  char state = '?';
  std::uint64_t start_ticks = 0;

  [[nodiscard]] bool is_live() const { return state != 'Z' && state != 'X' && state != 'x'; }
};

// Nothing: there is no such process.
[[nodiscard]] std::optional<process_entry> find_process(int pid);
// All that can be seen, zombies included; one pass, so what is born meanwhile may be missing.
[[nodiscard]] std::vector<process_entry> list_processes();
// The live processes of `all` that descend from one of `roots`; the roots are not among them.
[[nodiscard]] std::vector<process_entry> descendants_of(const std::vector<int>& roots, const std::vector<process_entry>& all);
// Whether the process was started with `assignment` ("NAME=value") in its environment; false where that may not be read.
[[nodiscard]] bool has_environment(int pid, std::string_view assignment);
// The value of a variable that the process was started with.
[[nodiscard]] std::optional<std::string> environment_value(int pid, std::string_view name);
// False: it was gone, another process has its pid, or it may not be signalled.
bool send_signal(const process_entry& to, int signal);

// Clock ticks since boot, as start times are given.
[[nodiscard]] std::uint64_t ticks_since_boot();
// /proc/sys/kernel/random/boot_id; empty where it cannot be read.
[[nodiscard]] const std::string& boot_id();

} // namespace ferry::runners
