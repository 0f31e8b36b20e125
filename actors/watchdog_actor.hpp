// Keeps watch: over runs by the rules of their types, over devices, over the room on the disk, and over ferry's own books. What it
// finds goes to the queue (notes, devices, disk) and to executors (stops); it decides nothing itself (scheduling/run_watch,
// device_health, audit).
#pragma once

#include "actors/interfaces.hpp"

#include <functional>

namespace ferry::actors {

struct watchdog_parts {
  queue_actor queue;
  history_actor history;
  std::vector<device> devices;
  std::function<std::vector<device_reading>()> read_devices; // in the order of devices
  std::shared_ptr<runners::run_control> control;
  std::filesystem::path data_dir;
  std::int64_t free_mib_min = 0;
  std::int64_t gpu_reserve_mib = 0; // of each GPU kept free for programs that are not ferry's
  duration audit_interval{};
};

// On a thread of its own: it looks at files, at processes and at drivers, all of which may take their time.
[[nodiscard]] watchdog_actor spawn_watchdog(caf::actor_system& system, watchdog_parts parts);

} // namespace ferry::actors
