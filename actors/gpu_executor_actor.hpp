// Runs batches on one device: launches them under shims, follows their reports and judges their outcomes.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/run_router.hpp"

#include <memory>

namespace ferry::actors {

struct executor_parts {
  device on;
  std::shared_ptr<runners::run_control> control;
  std::shared_ptr<run_router> router;
  queue_actor queue;
  batch_optimizer_actor optimizer;
  watchdog_actor watchdog;
};

// On a thread of its own: launching makes files and must not hold up others.
[[nodiscard]] gpu_executor_actor spawn_gpu_executor(caf::actor_system& system, executor_parts parts);

} // namespace ferry::actors
