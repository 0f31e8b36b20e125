#include "http/answering.hpp"

#include "http/pages.hpp"

#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/chunk_encode.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/write.hpp>
#include <spdlog/spdlog.h>

namespace ferry::http {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace beast_http = boost::beast::http;
using namespace std::chrono_literals;

namespace {

constexpr auto write_limit = 60s; // for one answer, or one piece of it, to be taken

asio::awaitable<bool> write_pieces(stream& connection, body_source& body, bool is_chunked) {
  beast::error_code failed;
  const auto last = beast_http::make_chunk_last();
  for (;;) {
    connection.expires_never(); // there may be nothing to write for long
    auto piece = co_await body.next();
    if (!piece) {
      spdlog::warn("an answer is cut off: {}", piece.error().what);
      co_return false;
    }
    connection.expires_after(write_limit);
    if (piece->empty()) {
      if (is_chunked)
        co_await asio::async_write(connection, last, asio::redirect_error(asio::use_awaitable, failed));
      co_return !failed;
    }
    const auto bytes = asio::buffer(*piece);
    if (is_chunked) {
      const auto chunk = beast_http::make_chunk(bytes);
      co_await asio::async_write(connection, chunk, asio::redirect_error(asio::use_awaitable, failed));
    } else {
      co_await asio::async_write(connection, bytes, asio::redirect_error(asio::use_awaitable, failed));
    }
    if (failed)
      co_return false;
  }
}

asio::awaitable<bool> write_streamed(stream& connection, response& answer, answer_form form) {
  const auto body = answer.rest;
  beast_http::response<beast_http::empty_body> head(answer.base());
  const auto length = body->length();
  const bool is_chunked = !length && form.http_version >= 11;
  const bool stays = form.keep_alive && (length || is_chunked); // else its end is the end of the body
  head.keep_alive(stays);
  if (length)
    head.content_length(*length);
  else
    head.chunked(is_chunked);
  beast::error_code failed;
  beast_http::response_serializer<beast_http::empty_body> serializer(head);
  connection.expires_after(write_limit);
  co_await beast_http::async_write_header(connection, serializer, asio::redirect_error(asio::use_awaitable, failed));
  if (failed || form.is_head)
    co_return stays && !failed;
  // A peer that closes while there is nothing to write would not be noticed otherwise. What else it may send ends the body, too.
  connection.socket().async_wait(asio::socket_base::wait_read,
                                 [weak = std::weak_ptr<body_source>(body)](const beast::error_code& why_not) {
                                   if (const auto one = weak.lock(); one && !why_not)
                                     one->stop();
                                 });
  if (!co_await write_pieces(connection, *body, is_chunked))
    co_return false;
  co_return stays;
}

} // namespace

asio::awaitable<bool> write_answer(stream& connection, response& answer, answer_form form) {
  answer.version(form.http_version);
  answer.set(beast_http::field::server, "ferryd");
  add_security_headers(answer);
  if (answer.rest)
    co_return co_await write_streamed(connection, answer, form);
  answer.keep_alive(form.keep_alive);
  answer.prepare_payload();
  beast::error_code failed;
  connection.expires_after(write_limit);
  if (form.is_head) {
    beast_http::response<beast_http::empty_body> head(answer.base());
    co_await beast_http::async_write(connection, head, asio::redirect_error(asio::use_awaitable, failed));
  } else
    co_await beast_http::async_write(connection, answer, asio::redirect_error(asio::use_awaitable, failed));
  co_return !failed;
}

asio::awaitable<void> answer_and_close(stream& connection, response answer) {
  const answer_form last{.http_version = 11, .keep_alive = false};
  if (!co_await write_answer(connection, answer, last))
    co_return;
  beast::error_code failed;
  connection.socket().shutdown(asio::socket_base::shutdown_send, failed);
  std::array<char, 65536> waste;
  connection.expires_after(2s);
  while (!failed)
    co_await connection.async_read_some(asio::buffer(waste), asio::redirect_error(asio::use_awaitable, failed));
}

} // namespace ferry::http
