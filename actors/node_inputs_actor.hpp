// On a node: brings what jobs read from the head into the cache (runners/input_files.hpp), piece by piece, one on its way at a
// time.
#pragma once

#include "actors/interfaces.hpp"
#include "runners/input_files.hpp"

#include <functional>
#include <string>

namespace ferry::actors {

struct node_inputs_parts {
  remote::gateway_actor head;
  std::string name; // of this node
  remote::node::session_number session = 0;
  runners::input_cache cache;
  duration patience{};                       // for one answer
  std::function<void(std::string)> on_ended; // the session is over, and why
};

// On a thread of its own: it writes files.
[[nodiscard]] node_inputs_actor spawn_node_inputs(caf::actor_system& system, node_inputs_parts parts);

[[nodiscard]] std::vector<runners::input_file> files_of(const remote::node::input& one);

} // namespace ferry::actors
