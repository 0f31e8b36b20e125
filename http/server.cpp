#include "http/server.hpp"

#include "config/limits.hpp"
#include "config/locations.hpp"
#include "http/listeners.hpp"
#include "http/session.hpp"
#include "http/tls.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <spdlog/spdlog.h>
#include <thread>
#include <unistd.h>

namespace ferry::http {
namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view usual_address = "127.0.0.1:7878";
constexpr int refusals_max = 64; // connections beyond the bound that are told so, at once; others are just closed

std::vector<std::string> host_names(const config::settings& settings, const tls_identity& identity) {
  auto all = settings.http.tcp.hosts;
  all.insert(all.end(), identity.names.begin(), identity.names.end());
  return all;
}

// How those who come to one socket are served, and how many there are; touched by the one thread only.
struct entrance {
  const access* who = nullptr;
  asio::ssl::context* tls = nullptr;
  int connections = 0, refusals = 0;
};

} // namespace

struct server::implementation {
  implementation(server_parts p, token_store t, tls_identity i)
      : parts(p),
        identity(std::move(i)),
        hub(std::make_shared<event_hub>(context, p.events, std::to_string(p.started.time_since_epoch().count()))),
        tokens(std::make_shared<token_store>(std::move(t))),
        guard(*tokens, host_names(*p.settings, identity), identity.context != nullptr),
        handler(std::in_place, std::move(p), hub, tokens) {}

  server_parts parts;
  const tls_identity identity;
  asio::io_context context{1};
  std::shared_ptr<event_hub> hub;
  std::shared_ptr<token_store> tokens;
  const access guard;
  std::optional<api> handler;
  listeners listening;
  entrance local{}, remote{.who = &guard, .tls = identity.context.get()};
  std::thread thread;

  template <class Acceptor>
  asio::awaitable<void> accept(Acceptor& acceptor, entrance& by);
  asio::awaitable<void> keep(stream connection, entrance& by);
  asio::awaitable<void> turn_away(stream connection, entrance& by);
  result<void> listen_on_tcp();
};

asio::awaitable<void> server::implementation::keep(stream connection, entrance& by) {
  const bool is_full = by.connections >= parts.settings->http.connections_max;
  int& count = is_full ? by.refusals : by.connections;
  if (is_full && count >= refusals_max)
    co_return;
  ++count;
  try {
    if (by.tls && !co_await connection.begin_tls(*by.tls))
      spdlog::debug("a TLS handshake failed");
    else if (is_full)
      co_await turn_away(std::move(connection), by);
    else
      co_await serve(std::move(connection), *handler, by.who);
  } catch (const std::exception& e) { spdlog::warn("a connection ended: {}", e.what()); }
  --count;
}

asio::awaitable<void> server::implementation::turn_away(stream connection, entrance& by) {
  error full{error_code::unavailable,
             "there are " + std::to_string(by.connections) + " connections; http.connections_max is " +
                 std::to_string(parts.settings->http.connections_max),
             "try again in a moment",
             {}};
  co_await refuse(std::move(connection), std::move(full));
}

template <class Acceptor>
asio::awaitable<void> server::implementation::accept(Acceptor& acceptor, entrance& by) {
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
    stream connection(asio::generic::stream_protocol::socket(std::move(socket)), parts.settings->http.timeouts);
    asio::co_spawn(context, keep(std::move(connection), by), asio::detached);
  }
}

// Left to itself it takes the usual address, and goes without where another program has that.
result<void> server::implementation::listen_on_tcp() {
  const auto& settings = parts.settings->http.tcp;
  if (settings.listen.empty())
    return {};
  const auto token = read_or_make_token(settings.token_file);
  if (!token)
    return fail(token.error());
  tokens->set_owner_token(*token);
  const bool is_left_to_itself = settings.listen == "auto";
  const auto address = is_left_to_itself ? std::string(usual_address) : settings.listen;
  if (auto ok = listening.open_tcp(context, address); ok) {
    const auto host = address.substr(0, address.rfind(':')), port = ":" + std::to_string(listening.tcp_port);
    handler->listens_on(host + port, (identity.context ? "https://" : "http://") + identity.name_for_links(host) + port);
    for (const auto& warning : identity.warnings) {
      spdlog::warn("{}", warning);
      handler->note(warning);
    }
  } else if (is_left_to_itself) {
    const auto note = "there is no page: " + ok.error().what + "; set http.tcp.listen to a free port, or to \"\" for none";
    spdlog::warn("{}", note);
    handler->note(note);
  } else
    return ok;
  return {};
}

result<std::unique_ptr<server>> server::start(server_parts parts) {
  auto tokens = token_store::open(parts.settings->storage.data_dir / "tokens.json", config::login_name(::getuid()));
  if (!tokens)
    return fail(tokens.error());
  auto identity = load_identity(*parts.settings, wall_clock_now());
  if (!identity)
    return fail(identity.error());
  auto impl = std::make_unique<implementation>(std::move(parts), std::move(*tokens), std::move(*identity));
  if (auto ok = impl->listening.open_unix(impl->context, impl->parts.settings->http.socket); !ok)
    return fail(ok.error());
  if (auto ok = impl->listen_on_tcp(); !ok)
    return fail(ok.error());
  auto& listening = impl->listening;
  asio::co_spawn(impl->context, impl->accept(*listening.unix_acceptor, impl->local), asio::detached);
  if (listening.tcp_acceptor)
    asio::co_spawn(impl->context, impl->accept(*listening.tcp_acceptor, impl->remote), asio::detached);
  asio::co_spawn(impl->context, impl->handler->expire_uploads(), asio::detached);
  impl->hub->open();
  impl->thread = std::thread([raw = impl.get()] { raw->context.run(); });
  return std::unique_ptr<server>(new server(std::move(impl)));
}

server::server(std::unique_ptr<implementation> impl) : impl_(std::move(impl)) {}

server::~server() {
  impl_->context.stop();
  impl_->thread.join();
  impl_->hub->close();
  impl_->handler.reset(); // ends what still waits for actors, while the context is there
}

unsigned short server::tcp_port() const { return impl_->listening.tcp_port; }

} // namespace ferry::http
