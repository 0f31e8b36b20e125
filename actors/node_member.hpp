// This machine as a node of a head elsewhere: joins it, and joins it again whenever a session ends, for as long as this lives. A
// thread of its own, no actor: it builds what a session needs (node_link_actor, executors, run control) from what is on disk, and
// takes all of it down before it builds it again. What runs goes on meanwhile under its shims, until the lease ends.
#pragma once

#include "actors/interfaces.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace ferry::actors {

struct node_member_parts {
  std::shared_ptr<const config::settings> settings;
  std::vector<device> devices;
  std::filesystem::path shim; // the ferry-shim program
  std::function<std::vector<device_reading>()> read_devices = {};
};

class node_member {
public:
  // `system` was set up by remote::tls_files. What belongs to the node stands in <data_dir>/node/. Errors: locked, disk_full, io.
  [[nodiscard]] static result<std::unique_ptr<node_member>> start(caf::actor_system& system, node_member_parts parts);
  // Tells the head that it leaves; what runs goes on.
  ~node_member();

private:
  struct implementation;
  explicit node_member(std::unique_ptr<implementation> impl);
  std::unique_ptr<implementation> impl_;
};

} // namespace ferry::actors
