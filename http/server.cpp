#include "http/server.hpp"

#include "config/limits.hpp"
#include "http/listeners.hpp"
#include "http/session.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <spdlog/spdlog.h>
#include <thread>

namespace ferry::http {
namespace asio = boost::asio;
using namespace std::chrono_literals;

struct server::implementation {
  explicit implementation(server_parts p) : parts(p), handler(std::move(p)) {}

  server_parts parts;
  asio::io_context context{1};
  std::optional<api> handler;
  listeners listening;
  std::size_t connections = 0; // touched by the one thread only
  std::thread thread;

  template <class Acceptor>
  asio::awaitable<void> accept(Acceptor& acceptor, std::string token);
  asio::awaitable<void> keep(stream connection, std::string token);
};

asio::awaitable<void> server::implementation::keep(stream connection, std::string token) {
  ++connections;
  try {
    if (connections > limits::connections_max) {
      error full{error_code::unavailable,
                 "the daemon serves its maximum of " + std::to_string(limits::connections_max) + " connections",
                 "try again in a moment",
                 {}};
      co_await refuse(std::move(connection), std::move(full));
    } else
      co_await serve(std::move(connection), *handler, std::move(token));
  } catch (const std::exception& e) { spdlog::warn("a connection ended: {}", e.what()); }
  --connections;
}

template <class Acceptor>
asio::awaitable<void> server::implementation::accept(Acceptor& acceptor, std::string token) {
  asio::steady_timer pause(context);
  for (;;) {
    boost::system::error_code failed;
    auto socket = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, failed));
    if (failed == asio::error::operation_aborted)
      co_return;
    if (failed) { // out of descriptors, say: those in use will be freed
      spdlog::warn("a connection could not be accepted: {}", failed.message());
      pause.expires_after(100ms);
      co_await pause.async_wait(asio::use_awaitable);
      continue;
    }
    asio::co_spawn(context, keep(stream(asio::generic::stream_protocol::socket(std::move(socket))), token), asio::detached);
  }
}

result<std::unique_ptr<server>> server::start(server_parts parts) {
  auto impl = std::make_unique<implementation>(std::move(parts));
  const auto& settings = *impl->parts.settings;
  if (auto ok = impl->listening.open_unix(impl->context, settings.http.socket); !ok)
    return fail(ok.error());
  std::string token;
  if (!settings.http.tcp.listen.empty()) {
    auto read = read_or_make_token(settings.http.tcp.token_file);
    if (!read)
      return fail(read.error());
    token = std::move(*read);
    if (auto ok = impl->listening.open_tcp(impl->context, settings.http.tcp.listen); !ok)
      return fail(ok.error());
  }
  auto& listening = impl->listening;
  asio::co_spawn(impl->context, impl->accept(*listening.unix_acceptor, {}), asio::detached);
  if (listening.tcp_acceptor)
    asio::co_spawn(impl->context, impl->accept(*listening.tcp_acceptor, token), asio::detached);
  impl->thread = std::thread([raw = impl.get()] { raw->context.run(); });
  return std::unique_ptr<server>(new server(std::move(impl)));
}

server::server(std::unique_ptr<implementation> impl) : impl_(std::move(impl)) {}

server::~server() {
  impl_->context.stop();
  impl_->thread.join();
  impl_->handler.reset(); // ends what still waits for actors, while the context is there
}

unsigned short server::tcp_port() const { return impl_->listening.tcp_port; }

} // namespace ferry::http
