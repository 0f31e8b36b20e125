// The forecaster: plays the policy forward over a picture of the queue, on a thread of its own that gives way to all others.
#pragma once

#include "actors/interfaces.hpp"

namespace ferry::actors {

[[nodiscard]] forecaster_actor spawn_forecaster(caf::actor_system& system);

} // namespace ferry::actors
