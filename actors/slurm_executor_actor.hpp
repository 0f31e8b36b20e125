// The executor of the device `slurm`: gives batches to Slurm, follows them by the files of their run directories, and judges their
// outcomes. Slurm is asked only how a run that left no record ended: whether one begins is decided in its directory
// (runners/run_claim.hpp), so a daemon that starts again, or a Slurm that does not answer, never makes one start twice (P4).
#pragma once

#include "actors/interfaces.hpp"
#include "config/settings.hpp"

#include <filesystem>
#include <memory>

namespace ferry::actors {

// Why nothing is given to Slurm until it was asked for the first time.
inline constexpr const char* slurm_not_asked = "Slurm has not answered yet";

struct slurm_parts {
  device on;
  config::slurm_settings where;
  std::filesystem::path data_dir, shim; // the ferry-shim program
  std::shared_ptr<runners::run_control> control;
  slurm_gate_actor gate;
  queue_actor queue;
  batch_optimizer_actor optimizer;
  watchdog_actor watchdog;
};

// On a thread of its own: it reads and writes files that may be on another machine.
[[nodiscard]] slurm_executor_actor spawn_slurm_executor(caf::actor_system& system, slurm_parts parts);

// The partition as a device, as it is configured.
[[nodiscard]] device slurm_device_of(const config::settings& settings);

} // namespace ferry::actors
