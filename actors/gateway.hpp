// Publishes the gateway (gateway_actor.hpp) on a TCP port under mutual TLS, and puts another one in its place should it end:
// whoever has a certificate can end it, for CAF lets peers do that.
#pragma once

#include "actors/gateway_actor.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace ferry::actors {

class gateway {
public:
  // `system` was set up by remote::tls_files. `address` is an IP address or empty (all), port 0: any that is free.
  // Errors: io (the port is taken, the address is not this machine's).
  [[nodiscard]] static result<std::unique_ptr<gateway>> open(caf::actor_system& system, gateway_parts parts, std::string address,
                                                             std::uint16_t port);
  // Nobody is let in any more; requests that wait are dropped.
  ~gateway();

  [[nodiscard]] std::uint16_t port() const;

private:
  struct implementation;
  explicit gateway(std::unique_ptr<implementation> impl);
  std::unique_ptr<implementation> impl_;
};

} // namespace ferry::actors
