// Calls Slurm's programs for the executor, one after the other: each may take seconds, and runs are followed meanwhile.
#pragma once

#include "actors/interfaces.hpp"
#include "config/slurm_settings.hpp"

#include <atomic>
#include <memory>

namespace ferry::actors {

// On a thread of its own. Once `ending` is set it waits for no program any more, so that its end does not have to.
[[nodiscard]] slurm_gate_actor spawn_slurm_gate(caf::actor_system& system, config::slurm_settings where,
                                                std::shared_ptr<const std::atomic<bool>> ending);

} // namespace ferry::actors
