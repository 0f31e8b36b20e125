// The files of a run directory, read and written the same way by the shim and by the daemon. All are opened relative to the
// directory's descriptor, close-on-exec.
#pragma once

#include "runners/descriptor.hpp"
#include "runners/line_splitter.hpp"
#include "runners/run_event.hpp"
#include "runners/run_spec.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <sys/un.h>
#include <vector>

namespace ferry::runners {

namespace run_file {
inline constexpr const char* spec = "spec.json";
inline constexpr const char* lock = "shim.lock";
inline constexpr const char* shim = "shim.json";
inline constexpr const char* output = "output.log";
inline constexpr const char* events = "events.jsonl";
inline constexpr const char* reported = "reported.jsonl"; // written by the job: FERRY_EVENTS
inline constexpr const char* control = "control.sock";    // there when the shim has lost its daemon
inline constexpr const char* jobs = "jobs";
inline constexpr const char* worker = "worker.json"; // in the folder of a worker
} // namespace run_file

// Nothing: errno says why.
[[nodiscard]] descriptor open_directory(const std::filesystem::path& path);

// The whole of a small file. Errors: not_found, too_large, io.
[[nodiscard]] result<std::string> read_whole(int directory, const char* name, std::size_t bytes_max);
// Errors: disk_full, io.
[[nodiscard]] result<void> write_whole(int directory, const char* name, std::string_view text);
// The error of a refused system call, by errno: disk_full or io.
[[nodiscard]] error system_error(const std::string& what, int errno_value);

enum class lock_state { held, free, missing };
[[nodiscard]] lock_state probe_lock(int directory);

// Who the shim is, from shim.json; nothing where that is missing or was not written to its end: then it had started no process.
struct shim_identity {
  int pid = 0;
  std::uint64_t start_ticks = 0;
  std::string boot_id;
};
[[nodiscard]] json to_json(const shim_identity& shim);
[[nodiscard]] std::optional<shim_identity> read_shim_identity(int directory);

[[nodiscard]] result<run_spec> read_spec(int directory);

// Where control.sock is, as an address: by way of /proc, since a path in it may be longer than an address holds.
[[nodiscard]] sockaddr_un control_address(int directory);

// Levels of an event: what a job may report (limits::json_depth_max), and what is around it.
inline constexpr std::size_t event_depth_max = 64;

// Reads events.jsonl as it grows. Lines that are no event are passed over; a last line that is not complete waits.
class event_reader {
public:
  event_reader();
  // Appends what is new in the file.
  void read(int directory, std::vector<run_event>& into);
  // Takes a piece of the file that came by another way, if it is the next one; else reads the file.
  void take(int directory, std::int64_t offset, std::string_view bytes, std::vector<run_event>& into);
  [[nodiscard]] std::int64_t bytes_read() const { return offset_; }

private:
  void feed(std::string_view bytes, std::vector<run_event>& into);

  std::int64_t offset_ = 0;
  line_splitter lines_;
};

} // namespace ferry::runners
