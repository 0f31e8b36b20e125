#include "http/stream.hpp"

#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace ferry::http {
namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto farewell_limit = 2s;

} // namespace

asio::awaitable<bool> stream::begin_tls(asio::ssl::context& context) {
  boost::system::error_code failed;
  expires_after(at_->timeouts.header);
  at_->tls.emplace(at_->plain, context);
  co_await at_->tls->async_handshake(asio::ssl::stream_base::server, asio::redirect_error(asio::use_awaitable, failed));
  co_return !failed;
}

asio::awaitable<void> stream::finish() {
  boost::system::error_code failed;
  if (at_->tls) { // also waits for the peer to say the same, as long as it sends nothing else
    expires_after(farewell_limit);
    co_await at_->tls->async_shutdown(asio::redirect_error(asio::use_awaitable, failed));
  }
  socket().shutdown(asio::socket_base::shutdown_send, failed);
}

asio::awaitable<void> stream::discard() {
  boost::system::error_code failed;
  std::array<char, 65536> waste;
  expires_after(farewell_limit);
  while (!failed)
    co_await at_->plain.async_read_some(asio::buffer(waste), asio::redirect_error(asio::use_awaitable, failed));
}

} // namespace ferry::http
