#include "tests/integration/network.hpp"

#include "tests/integration/daemon_process.hpp"

#include <atomic>
#include <unistd.h>

namespace ferry::tests {
namespace {

// The other side takes no frame that is addressed to another.
constexpr const char* nobody = "02:00:00:00:de:ad";

program_end ip(std::vector<std::string> words) {
  words.insert(words.begin(), "ip");
  return run_program(words);
}
void must(std::vector<std::string> words) {
  const auto end = ip(std::move(words));
  INFO(end.output);
  REQUIRE(end.status == 0);
}

std::string unique_name(const char* side) {
  static std::atomic<int> count = 0;
  return "ferry-" + std::to_string(::getpid()) + "-" + std::to_string(++count) + "-" + side;
}

} // namespace

std::string network::obstacle() {
  if (::geteuid() != 0)
    return "network namespaces are root's to make";
  if (::access("/usr/sbin/ip", X_OK) != 0 && ::access("/sbin/ip", X_OK) != 0 && ::access("/usr/bin/ip", X_OK) != 0)
    return "ip is not installed";
  const auto name = unique_name("try");
  const auto made = ip({"netns", "add", name});
  const auto joined = ip({"-n", name, "link", "add", "one", "type", "veth", "peer", "name", "two"});
  [[maybe_unused]] const auto removed = ip({"netns", "del", name});
  return made.status != 0 ? made.output : joined.status != 0 ? joined.output : std::string();
}

network::network() : head_(unique_name("head")), node_(unique_name("node")) {
  must({"netns", "add", head_});
  must({"netns", "add", node_});
  must({"link", "add", "to-node", "netns", head_, "type", "veth", "peer", "name", "to-head", "netns", node_});
  must({"-n", head_, "addr", "add", std::string(head_address) + "/24", "dev", "to-node"});
  must({"-n", node_, "addr", "add", "10.77.0.2/24", "dev", "to-head"});
  for (const auto& [side, device] : {std::pair{head_, "to-node"}, {node_, "to-head"}}) {
    must({"-n", side, "link", "set", "lo", "up"});
    must({"-n", side, "link", "set", device, "up"});
  }
}

network::~network() {
  for (const auto& side : {head_, node_})
    [[maybe_unused]] const auto removed = ip({"netns", "del", side});
}

void network::lose_from_head() {
  must({"-n", head_, "neigh", "replace", "10.77.0.2", "lladdr", nobody, "dev", "to-node", "nud", "permanent"});
}
void network::lose_from_node() {
  must({"-n", node_, "neigh", "replace", head_address, "lladdr", nobody, "dev", "to-head", "nud", "permanent"});
}
void network::mend() {
  [[maybe_unused]] const auto one = ip({"-n", head_, "neigh", "del", "10.77.0.2", "dev", "to-node"});
  [[maybe_unused]] const auto two = ip({"-n", node_, "neigh", "del", head_address, "dev", "to-head"});
}

bool network::delay(int ms) {
  for (const auto& [side, device] : {std::pair{head_, "to-node"}, {node_, "to-head"}})
    if (run_program(
            {"ip", "netns", "exec", side, "tc", "qdisc", "add", "dev", device, "root", "netem", "delay", std::to_string(ms) + "ms"})
            .status != 0)
      return false;
  return true;
}

} // namespace ferry::tests
