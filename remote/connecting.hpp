// Connects to a daemon on another machine, by mutual TLS.
#pragma once

#include "remote/messages.hpp"

#include <atomic>
#include <caf/actor_system.hpp>
#include <caf/expected.hpp>
#include <cstdint>
#include <string>

namespace ferry::remote {

// Blocks. `system` was set up by tls_files. CAF 0.18 gives up a connection at its next heartbeat if its handshake is not over by
// then, for it takes it for one that was silent all along; so what fails for that reason is tried again, a few times.
//
// Where nobody answers at all CAF would wait for as long as the kernel does, two minutes, and the network may be back long before,
// so each try is preceded by a look of a few seconds whether anybody is there. `stop` ends that look.
[[nodiscard]] caf::expected<gateway_actor> connect(caf::actor_system& system, const std::string& host, std::uint16_t port);
[[nodiscard]] caf::expected<gateway_actor> connect(caf::actor_system& system, const std::string& host, std::uint16_t port,
                                                   const std::atomic<bool>& stop);

} // namespace ferry::remote
