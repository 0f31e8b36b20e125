// Calls Slurm's programs for the executor, one after the other: each may take seconds, and runs are followed meanwhile.
#pragma once

#include "actors/interfaces.hpp"
#include "config/slurm_settings.hpp"

namespace ferry::actors {

// On a thread of its own.
[[nodiscard]] slurm_gate_actor spawn_slurm_gate(caf::actor_system& system, config::slurm_settings where);

} // namespace ferry::actors
