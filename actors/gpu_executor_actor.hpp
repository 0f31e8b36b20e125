// Runs batches on one device: launches them under shims, follows their reports and judges their outcomes.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/run_router.hpp"

#include <filesystem>
#include <memory>

namespace ferry::actors {

struct executor_parts {
  device on;
  std::shared_ptr<runners::run_control> control;
  std::shared_ptr<run_router> router;
  run_listener_actor queue;
  lease_holder_actor optimizer;
  sign_listener_actor watchdog;
  std::filesystem::path lease_file = {}; // of a node: runs end when the lease does; empty: they need none
};

// On a thread of its own: launching makes files and must not hold up others.
[[nodiscard]] local_executor_actor spawn_gpu_executor(caf::actor_system& system, executor_parts parts);

} // namespace ferry::actors
