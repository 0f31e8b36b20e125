// How other machines reach this daemon, as `[node]` declares it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace ferry::config {

struct node_settings {
  std::string listen;                         // "0.0.0.0:7879"; empty: nobody does
  std::filesystem::path certificate, key, ca; // PEM files; all three, for nothing but mutual TLS is spoken there

  [[nodiscard]] bool is_on() const { return !listen.empty(); }
  // Of `listen`, checked when it was read; an IPv6 address without its brackets.
  [[nodiscard]] std::string address() const;
  [[nodiscard]] std::uint16_t port() const;
};

} // namespace ferry::config
