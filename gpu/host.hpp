// The host as a device: its cores and memory as this process may use them, and how busy it is.
#pragma once

#include "model/device.hpp"

#include <filesystem>
#include <mutex>
#include <optional>
#include <string>

namespace ferry::gpu {

// Where the kernel shows itself; elsewhere in tests.
struct host_roots {
  std::filesystem::path proc = "/proc";
  std::filesystem::path cgroup = "/sys/fs/cgroup";
};

struct host_facts {
  std::string name;            // of the processor
  int cores = 1;               // that this process may use: its affinity, and the quota of its control group
  std::int64_t memory_mib = 0; // of the machine, or what its control group may use where that is less; 0: unknown
};

[[nodiscard]] host_facts read_host_facts(const host_roots& roots = {});

// Reads how busy the host is: since the last reading, or since this object was made.
class host_meter {
public:
  explicit host_meter(host_roots roots = {});
  [[nodiscard]] device_reading read() const; // thread-safe

private:
  struct ticks {
    unsigned long long busy = 0, total = 0;
  };
  [[nodiscard]] std::optional<ticks> read_ticks() const;

  host_roots roots_;
  mutable std::mutex mutex_; // guards what follows
  mutable ticks last_;
  mutable std::optional<int> last_percent_;
};

} // namespace ferry::gpu
