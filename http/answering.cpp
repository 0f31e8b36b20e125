#include "http/answering.hpp"

#include "http/byte_range.hpp"
#include "http/pages.hpp"

#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/chunk_encode.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/write.hpp>
#include <cstdio>
#include <functional>
#include <spdlog/spdlog.h>

namespace ferry::http {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace beast_http = boost::beast::http;

namespace {

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
    connection.expires_after(connection.timeouts().answer);
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
  connection.expires_after(connection.timeouts().answer);
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
  if (!stays)
    co_await connection.finish(); // by TLS only this says that nothing was cut off
  co_return stays;
}

} // namespace

void tag_answer(response& answer, std::string_view if_none_match) {
  if (answer.result() != beast_http::status::ok || answer.rest || answer.body().empty() ||
      answer.count(beast_http::field::etag) > 0)
    return;
  std::array<char, 24> tag{};
  std::snprintf(tag.data(), tag.size(), "\"%016zx\"", std::hash<std::string_view>{}(answer.body()));
  answer.set(beast_http::field::etag, "W/" + std::string(tag.data()));
  if (!names_etag(if_none_match, tag.data()))
    return;
  answer.result(beast_http::status::not_modified);
  answer.erase(beast_http::field::content_type);
  answer.body().clear();
}

asio::awaitable<bool> write_answer(stream& connection, response& answer, answer_form form) {
  answer.version(form.http_version);
  answer.set(beast_http::field::server, "ferryd");
  add_security_headers(answer);
  if (answer.rest)
    co_return co_await write_streamed(connection, answer, form);
  answer.keep_alive(form.keep_alive);
  answer.prepare_payload();
  beast::error_code failed;
  connection.expires_after(connection.timeouts().answer);
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
  co_await connection.finish();
  co_await connection.discard();
}

} // namespace ferry::http
