// One connection: to the Unix socket, over TCP, or over TCP by TLS. The same code reads and writes them all (it is an AsyncStream,
// as Asio and Beast have it); what is being waited for ends when the time that was set last is over.
#pragma once

#include "config/http_rules.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

namespace ferry::http {

class stream {
public:
  using socket_type = boost::asio::generic::stream_protocol::socket;
  using plain_stream = boost::beast::basic_stream<boost::asio::generic::stream_protocol>;
  using executor_type = plain_stream::executor_type;

  stream(socket_type socket, const config::http_timeouts& timeouts) : at_(std::make_unique<state>(std::move(socket), timeouts)) {}

  [[nodiscard]] executor_type get_executor() { return at_->plain.get_executor(); }
  [[nodiscard]] socket_type& socket() { return at_->plain.socket(); }
  [[nodiscard]] const config::http_timeouts& timeouts() const { return at_->timeouts; }
  void expires_after(std::chrono::nanoseconds time) { at_->plain.expires_after(time); }
  void expires_never() { at_->plain.expires_never(); }

  // From here on it is TLS: the handshake, within timeouts().header. False: the connection is of no more use. `context` outlives
  // this.
  [[nodiscard]] boost::asio::awaitable<bool> begin_tls(boost::asio::ssl::context& context);
  // Nothing more will be sent, and the peer is told so that it knows that all has come; what it still sends may be read by
  // discard() alone.
  [[nodiscard]] boost::asio::awaitable<void> finish();
  // Throws away what comes, for a moment at most.
  [[nodiscard]] boost::asio::awaitable<void> discard();

  template <class Token>
  using io_result =
      typename boost::asio::async_result<std::decay_t<Token>, void(boost::system::error_code, std::size_t)>::return_type;

  template <class Buffers, class Token>
  io_result<Token> async_read_some(const Buffers& buffers, Token&& token) {
    if (at_->tls)
      return at_->tls->async_read_some(buffers, std::forward<Token>(token));
    return at_->plain.async_read_some(buffers, std::forward<Token>(token));
  }
  template <class Buffers, class Token>
  io_result<Token> async_write_some(const Buffers& buffers, Token&& token) {
    if (at_->tls)
      return at_->tls->async_write_some(buffers, std::forward<Token>(token));
    return at_->plain.async_write_some(buffers, std::forward<Token>(token));
  }

private:
  struct state { // stays where it is: TLS refers to what is below it
    state(socket_type socket, const config::http_timeouts& times) : plain(std::move(socket)), timeouts(times) {}
    plain_stream plain;
    std::optional<boost::asio::ssl::stream<plain_stream&>> tls;
    config::http_timeouts timeouts;
  };
  std::unique_ptr<state> at_;
};

} // namespace ferry::http
