// How other machines reach this daemon, or which head it lends its devices to, as `[node]` declares it.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

namespace ferry::config {

struct node_settings {
  std::string listen;                         // "0.0.0.0:7879"; empty: nobody does
  std::string join;                           // "head.example:7879"; empty: this machine has a queue of its own
  std::string name;                           // of this machine as a node; empty in the file: its host name
  std::filesystem::path certificate, key, ca; // PEM files; all three, for nothing but mutual TLS is spoken there
  std::chrono::milliseconds heartbeat = std::chrono::seconds{1};
  std::chrono::milliseconds silent_after = std::chrono::seconds{3}; // after which a node, or the head, counts as not there
  std::chrono::milliseconds lease = std::chrono::seconds{60};       // for how long a node may run on by itself
  std::int64_t cache_mib = 20'480;                                  // on a node: of what jobs read

  [[nodiscard]] bool is_on() const { return !listen.empty(); }
  [[nodiscard]] bool is_member() const { return !join.empty(); } // of a head elsewhere
  // Of `listen`, checked when it was read; an IPv6 address without its brackets.
  [[nodiscard]] std::string address() const;
  [[nodiscard]] std::uint16_t port() const;
  // Of `join`, likewise.
  [[nodiscard]] std::string head_host() const;
  [[nodiscard]] std::uint16_t head_port() const;
};

} // namespace ferry::config
