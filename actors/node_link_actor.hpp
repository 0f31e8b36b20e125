// On a node: one session with the head. It joins, fetches orders and hands them to the executors of this machine's devices, and
// tells the head what these report. Whatever goes wrong ends the session, and with it the executors: runs go on under their shims,
// and the next session (node_member) takes them up again. So each fault, here, there or between, is mended by the same steps.
#pragma once

#include "actors/interfaces.hpp"
#include "runners/lease_file.hpp"

#include <filesystem>
#include <functional>
#include <memory>

namespace ferry::actors {

struct node_link_parts {
  remote::gateway_actor head;
  remote::node::join offer; // what this node says of itself
  std::vector<device> devices;
  std::shared_ptr<const config::settings> settings;
  std::shared_ptr<runners::run_control> control;
  std::shared_ptr<class run_router> router;
  std::shared_ptr<runners::lease_file> lease;
  std::filesystem::path runs, cache, lease_path;
  std::function<std::vector<device_reading>()> read_devices; // in the order of `devices`; asked only where there is a GPU
  // The head has let it in; Errors: this head's runs are not to be mixed with those of another.
  std::function<result<void>(const remote::node::welcome&)> on_joined;
  std::function<void(const error&)> on_ended; // said once, before it ends
};

// On a thread of its own. Executors and all else that it starts end with it.
[[nodiscard]] node_link_actor spawn_node_link(caf::actor_system& system, node_link_parts parts);

} // namespace ferry::actors
