// A node that has joined a daemon once and is away.
#pragma once

#include "remote/known_nodes.hpp"
#include "tests/integration/daemon_process.hpp"

namespace ferry::tests {

// Before the daemon is started. The node lends a CPU with four slots.
inline void enter_node(const daemon_process& daemon, const std::string& name) {
  std::filesystem::create_directory(daemon.data());
  auto nodes = remote::known_nodes::open(daemon.data() / "nodes.json");
  REQUIRE(nodes);
  REQUIRE((*nodes)->put({.name = name,
                         .id = name + "-id",
                         .version = "0.1.0",
                         .address = "192.0.2.7",
                         .devices = {{.id = "cpu", .name = "8 cores", .slots = 4, .memory_mib = 2000, .threads = 8}}}));
}

} // namespace ferry::tests
