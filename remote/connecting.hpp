// Connects to a daemon on another machine, by mutual TLS.
#pragma once

#include "remote/messages.hpp"

#include <caf/actor_system.hpp>
#include <caf/expected.hpp>
#include <cstdint>
#include <string>

namespace ferry::remote {

// Blocks. `system` was set up by tls_files. CAF 0.18 gives up a connection at its next heartbeat if its handshake is not over by
// then, for it takes it for one that was silent all along; so what fails for that reason is tried again, a few times.
[[nodiscard]] caf::expected<gateway_actor> connect(caf::actor_system& system, const std::string& host, std::uint16_t port);

} // namespace ferry::remote
