#include "remote/connecting.hpp"

#include <caf/openssl/remote_actor.hpp>

namespace ferry::remote {
namespace {

constexpr int tries = 5;

} // namespace

caf::expected<gateway_actor> connect(caf::actor_system& system, const std::string& host, std::uint16_t port) {
  for (int left = tries;;) {
    auto found = caf::openssl::remote_actor<gateway_actor>(system, host, port);
    if (found || found.error() != caf::sec::connection_timeout || --left == 0)
      return found;
  }
}

} // namespace ferry::remote
