// What a daemon publishes for programs on other machines: the messages of remote/messages.hpp, translated to those of the queue. It
// keeps nothing about its peers but the requests for events that wait for any; whoever asks too often is refused.
#pragma once

#include "actors/event_board.hpp"
#include "actors/supervisor.hpp"
#include "remote/messages.hpp"

#include <functional>
#include <memory>

namespace ferry::actors {

struct gateway_parts {
  std::function<std::shared_ptr<const actor_handles>()> handles; // null while the actors are restarted
  std::shared_ptr<event_board> events;
};

// Sent remote::look_due, it looks whether anything came for those who wait: whoever spawns it has the board do that (on_change).
[[nodiscard]] remote::gateway_actor spawn_gateway(caf::actor_system& system, gateway_parts parts);

} // namespace ferry::actors
