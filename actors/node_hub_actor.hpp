// The head's side of all nodes: executor of the devices that they lend, and whom they speak to. What may run where and until when
// is decided by scheduling/node_book; this translates. Sessions end with this actor: nodes join anew, which takes milliseconds.
#pragma once

#include "actors/interfaces.hpp"
#include "remote/known_nodes.hpp"
#include "scheduling/node_book.hpp"

#include <filesystem>
#include <functional>
#include <memory>

namespace ferry::actors {

struct node_hub_parts {
  queue_actor queue;
  batch_optimizer_actor optimizer;
  watchdog_actor watchdog;
  std::shared_ptr<remote::known_nodes> nodes;
  std::filesystem::path runs;      // the copies of their run directories go there
  std::vector<std::string> shared; // paths.shared
  scheduling::node_rules rules;
  duration heartbeat{};            // how long a request for orders may wait
  std::function<void()> on_change; // devices came or went: everything is to be started again with them
};

// On a thread of its own: it writes files.
[[nodiscard]] node_hub_actor spawn_node_hub(caf::actor_system& system, node_hub_parts parts);

} // namespace ferry::actors
