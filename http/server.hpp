// The HTTP API (docs/api.md) over a Unix socket and, where configured, over TCP with a token. One thread serves all connections
// with coroutines; no request blocks it.
#pragma once

#include "config/settings.hpp"
#include "gpu/inventory.hpp"
#include "model/error.hpp"
#include "model/time.hpp"

#include <functional>
#include <memory>
#include <string>

namespace caf {
class actor_system;
}
namespace ferry::actors {
struct actor_handles;
class event_board;
} // namespace ferry::actors

namespace ferry::http {

struct server_parts {
  caf::actor_system& system;
  std::shared_ptr<const config::settings> settings;
  std::shared_ptr<const gpu::inventory> inventory;
  std::function<std::shared_ptr<const actors::actor_handles>()> handles; // null: being restarted
  instant started{};
  std::shared_ptr<actors::event_board> events;
};

class server {
public:
  // Listens before it returns. Errors: io (a socket that cannot be made, an address in use), locked (another daemon answers on the
  // socket), invalid_argument (a socket path that is too long, a certificate that cannot be used), damaged (the list of tokens).
  [[nodiscard]] static result<std::unique_ptr<server>> start(server_parts parts);
  // Closes every connection; requests that are under way are cut off unanswered.
  ~server();

  // The port that TCP listens on; 0: none. For `listen = "127.0.0.1:0"`.
  [[nodiscard]] unsigned short tcp_port() const;

private:
  struct implementation;
  explicit server(std::unique_ptr<implementation> impl);
  std::unique_ptr<implementation> impl_;
};

} // namespace ferry::http
