#include "http/session.hpp"

#include "config/limits.hpp"
#include "config/text.hpp"

#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <openssl/crypto.h>
#include <sys/socket.h>

namespace ferry::http {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace beast_http = boost::beast::http;
using namespace std::chrono_literals;

namespace {

constexpr auto idle_limit = 75s;  // between requests
constexpr auto body_limit = 60s;  // for one request to arrive
constexpr auto write_limit = 60s; // for one answer to be taken
constexpr std::string_view prefix = "/api/v1";

using parser_type = beast_http::request_parser<beast_http::string_body>;

result<request> request_from(parser_type& parser) {
  auto& message = parser.get();
  request r{
      .method = message.method(), .path = {}, .query = {}, .body = {}, .idempotency_key = {}, .keep_alive = message.keep_alive()};
  const auto target = boost::urls::parse_origin_form({message.target().data(), message.target().size()});
  if (!target)
    return fail(error_code::invalid_argument, "the request target is not a valid path");
  const std::string path(target->encoded_path().data(), target->encoded_path().size());
  if (!path.starts_with(prefix) || (path.size() > prefix.size() && path[prefix.size()] != '/'))
    return fail(error_code::not_found, "there is no such path: all begin with /api/v1", "see docs/api.md");
  std::size_t skipped = 0;
  for (const auto& segment : target->segments())
    if (++skipped > 2)
      r.path.emplace_back(segment);
  for (const auto& parameter : target->params())
    r.query.insert_or_assign(std::string(parameter.key), std::string(parameter.value));
  r.idempotency_key = std::string(message["Idempotency-Key"]);
  r.body = std::move(message.body());
  return r;
}

bool bears(const parser_type& parser, const std::string& token) {
  const std::string expected = "Bearer " + token;
  const auto given = parser.get()[beast_http::field::authorization];
  return given.size() == expected.size() && CRYPTO_memcmp(given.data(), expected.data(), expected.size()) == 0;
}

// The user at the other end of a Unix socket.
std::optional<unsigned> peer_of(stream& connection) {
  ucred who{};
  socklen_t size = sizeof who;
  const int fd = connection.socket().native_handle();
  sockaddr_storage own{};
  socklen_t own_size = sizeof own;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&own), &own_size) != 0 || own.ss_family != AF_UNIX ||
      ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0)
    return std::nullopt;
  return who.uid;
}

asio::awaitable<bool> write(stream& connection, response& answer, unsigned http_version, bool keep_alive) {
  answer.version(http_version);
  answer.set(beast_http::field::server, "ferryd");
  answer.keep_alive(keep_alive);
  answer.prepare_payload();
  beast::error_code failed;
  connection.expires_after(write_limit);
  co_await beast_http::async_write(connection, answer, asio::redirect_error(asio::use_awaitable, failed));
  co_return !failed;
}

// The request cannot be read to its end: it is answered, and the rest of it is thrown away for a moment so that the peer, which may
// still be sending, gets to read the answer instead of a reset.
asio::awaitable<void> answer_and_close(stream& connection, response answer) {
  if (!co_await write(connection, answer, 11, false))
    co_return;
  beast::error_code failed;
  connection.socket().shutdown(asio::socket_base::shutdown_send, failed);
  std::array<char, 65536> waste;
  connection.expires_after(2s);
  while (!failed)
    co_await connection.async_read_some(asio::buffer(waste), asio::redirect_error(asio::use_awaitable, failed));
}

error error_of(const beast::error_code& failed) {
  if (failed == beast_http::error::body_limit)
    return {error_code::too_large,
            "the body is larger than " + std::to_string(limits::request_body_bytes_max) + " bytes",
            "submit fewer jobs a request; put large data into files",
            {}};
  if (failed == beast_http::error::header_limit)
    return {
        error_code::too_large, "the header is larger than " + std::to_string(limits::request_header_bytes_max) + " bytes", {}, {}};
  return {error_code::invalid_argument, "this is not a valid HTTP/1.1 request: " + failed.message(), {}, {}};
}

error no_token() {
  return {error_code::unauthorized,
          "this address asks for the token of the daemon",
          "send `Authorization: Bearer <token>`; the token is in the file `token` of the data directory",
          {}};
}

bool is_protocol_error(const beast::error_code& failed) {
  return failed.category() == beast_http::make_error_code(beast_http::error::bad_method).category() &&
         failed != beast_http::error::end_of_stream && failed != beast_http::error::partial_message;
}

} // namespace

asio::awaitable<void> serve(stream connection, api& handler, std::string token) {
  beast::flat_buffer buffer(limits::request_header_bytes_max + 64 * 1024);
  const auto peer = peer_of(connection);
  for (;;) {
    parser_type parser;
    parser.body_limit(limits::request_body_bytes_max);
    parser.header_limit(limits::request_header_bytes_max);
    beast::error_code failed;
    connection.expires_after(idle_limit);
    co_await beast_http::async_read_header(connection, buffer, parser, asio::redirect_error(asio::use_awaitable, failed));
    if (!failed && !token.empty() && !bears(parser, token)) {
      auto refusal = error_response(no_token());
      co_await answer_and_close(connection, std::move(refusal));
      co_return;
    }
    if (!failed && !parser.is_done()) {
      if (beast::iequals(parser.get()[beast_http::field::expect], "100-continue")) {
        beast_http::response<beast_http::empty_body> go_on{beast_http::status::continue_, 11};
        co_await beast_http::async_write(connection, go_on, asio::redirect_error(asio::use_awaitable, failed));
      }
      connection.expires_after(body_limit);
      if (!failed)
        co_await beast_http::async_read(connection, buffer, parser, asio::redirect_error(asio::use_awaitable, failed));
    }
    if (failed) {
      if (is_protocol_error(failed)) {
        auto refusal = error_response(error_of(failed));
        co_await answer_and_close(connection, std::move(refusal));
      }
      co_return;
    }
    auto r = request_from(parser);
    const bool keep_alive = parser.get().keep_alive();
    const unsigned http_version = parser.get().version();
    connection.expires_never();
    if (r)
      r->peer = peer;
    response answer; // no co_await inside ?: — GCC 12 destroys such temporaries twice
    if (r)
      answer = co_await handler.answer(std::move(*r));
    else
      answer = error_response(r.error());
    if (!co_await write(connection, answer, http_version, keep_alive) || !keep_alive)
      co_return;
  }
}

asio::awaitable<void> refuse(stream connection, error e) {
  auto refusal = error_response(e);
  co_await answer_and_close(connection, std::move(refusal));
}

} // namespace ferry::http
