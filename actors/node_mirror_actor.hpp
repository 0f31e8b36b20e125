// On a node: brings what its runs leave to the head, piece by piece, one piece on its way at a time. What runs print goes before
// files of jobs that have ended. The head says how much it has, so a copy that broke off goes on there, whoever was started again
// meanwhile (runners/run_copy.hpp).
#pragma once

#include "actors/interfaces.hpp"

#include <filesystem>
#include <functional>
#include <string>

namespace ferry::actors {

struct node_mirror_parts {
  remote::gateway_actor head;
  std::string name; // of this node
  remote::node::session_number session = 0;
  std::filesystem::path runs;
  duration patience{};                       // for one answer
  std::function<void(std::string)> on_ended; // the session is over, and why
};

// On a thread of its own: it reads files.
[[nodiscard]] node_mirror_actor spawn_node_mirror(caf::actor_system& system, node_mirror_parts parts);

} // namespace ferry::actors
