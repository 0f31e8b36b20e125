// Ends what runs too long: at a batch's deadline its executor is told to stop it.
#pragma once

#include "actors/interfaces.hpp"

namespace ferry::actors {

[[nodiscard]] watchdog_actor spawn_watchdog(caf::actor_system& system);

} // namespace ferry::actors
