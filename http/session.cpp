#include "http/session.hpp"

#include "config/limits.hpp"
#include "config/text.hpp"
#include "http/answering.hpp"
#include "http/incoming_body.hpp"
#include "http/pages.hpp"
#include "http/request_reading.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <sys/socket.h>

namespace ferry::http {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace beast_http = boost::beast::http;

namespace {

constexpr std::size_t first_read_bytes = 4096;

using parser_type = beast_http::request_parser<beast_http::string_body>;

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

bool is_protocol_error(const beast::error_code& failed) {
  return failed.category() == beast_http::make_error_code(beast_http::error::bad_method).category() &&
         failed != beast_http::error::end_of_stream && failed != beast_http::error::partial_message;
}

// The header of the next request. Errors of the connection, or of HTTP.
asio::awaitable<beast::error_code> read_head(stream& connection, beast::flat_buffer& buffer, parser_type& parser) {
  beast::error_code failed;
  if (buffer.size() == 0) { // nothing of it is there yet: the peer may take its time
    connection.expires_after(connection.timeouts().idle);
    const auto n =
        co_await connection.async_read_some(buffer.prepare(first_read_bytes), asio::redirect_error(asio::use_awaitable, failed));
    buffer.commit(n);
    if (failed == asio::error::eof)
      failed = beast_http::error::end_of_stream;
  }
  if (failed)
    co_return failed;
  connection.expires_after(connection.timeouts().header);
  co_await beast_http::async_read_header(connection, buffer, parser, asio::redirect_error(asio::use_awaitable, failed));
  co_return failed;
}

asio::awaitable<beast::error_code> read_body(stream& connection, beast::flat_buffer& buffer, parser_type& parser) {
  beast::error_code failed;
  if (parser.is_done())
    co_return failed;
  if (parser.content_length().value_or(0) > limits::request_body_bytes_max)
    co_return beast_http::make_error_code(beast_http::error::body_limit);
  parser.body_limit(limits::request_body_bytes_max);
  if (beast::iequals(parser.get()[beast_http::field::expect], "100-continue")) {
    beast_http::response<beast_http::empty_body> go_on{beast_http::status::continue_, 11};
    co_await beast_http::async_write(connection, go_on, asio::redirect_error(asio::use_awaitable, failed));
  }
  connection.expires_after(connection.timeouts().body);
  if (!failed)
    co_await beast_http::async_read(connection, buffer, parser, asio::redirect_error(asio::use_awaitable, failed));
  co_return failed;
}

// Whether the request may be looked at, and who sent it; before its body is read. The page needs nobody: it holds no data.
result<caller> admit(const request_head& head, bool is_page, const access* who, api& handler, std::optional<unsigned> peer) {
  if (!who)
    return handler.local_caller(peer);
  if (auto own = who->check_site(head); !own)
    return fail(own.error());
  return is_page ? result<caller>(caller{}) : who->identify(head);
}

asio::awaitable<response> answer_to(parser_type& parser, bool is_page, caller sender, const access* who, api& handler,
                                    incoming_body* incoming) {
  const auto asked = probe_of({parser.get().target().data(), parser.get().target().size()});
  if (asked != probe::none)
    co_return co_await handler.answer_probe(asked, parser.get().method());
  if (is_page) {
    auto page = answer_page(parser.get().base(), who);
    co_return page ? std::move(*page) : error_response(page.error());
  }
  auto r = request_from(parser.get());
  if (!r)
    co_return error_response(r.error());
  r->who = std::move(sender);
  r->incoming = incoming;
  const auto known = r->if_none_match;
  const auto method = parser.get().method();
  auto answer = co_await handler.answer(std::move(*r));
  if (method == beast_http::verb::get || method == beast_http::verb::head)
    tag_answer(answer, known);
  co_return answer;
}

} // namespace

asio::awaitable<void> serve(stream connection, api& handler, const access* who) {
  beast::flat_buffer buffer(limits::request_header_bytes_max + 64 * 1024);
  const auto peer = peer_of(connection);
  for (;;) {
    parser_type parser;
    parser.body_limit(boost::none); // checked once it is known what the request is
    parser.header_limit(limits::request_header_bytes_max);
    auto failed = co_await read_head(connection, buffer, parser);
    bool is_page = false;
    caller sender;
    std::optional<incoming_body> incoming;
    if (!failed) {
      const auto target = parser.get().target();
      is_page = is_page_target({target.data(), target.size()});
      auto admitted = admit(parser.get().base(), is_page, who, handler, peer);
      if (!admitted) {
        auto refusal = error_response(admitted.error());
        co_await answer_and_close(connection, std::move(refusal));
        co_return;
      }
      sender = std::move(*admitted);
      if (is_streamed(parser.get())) {
        const bool expects_go_ahead = beast::iequals(parser.get()[beast_http::field::expect], "100-continue");
        incoming.emplace(connection, buffer, parser.content_length().value_or(0), expects_go_ahead);
      } else
        failed = co_await read_body(connection, buffer, parser);
    }
    if (failed) {
      if (is_protocol_error(failed)) {
        auto refusal = error_response(error_of(failed));
        co_await answer_and_close(connection, std::move(refusal));
      }
      co_return;
    }
    const bool keep_alive = parser.get().keep_alive(), is_head = parser.get().method() == beast_http::verb::head;
    const unsigned http_version = parser.get().version();
    connection.expires_never();
    response answer = co_await answer_to(parser, is_page, std::move(sender), who, handler, incoming ? &*incoming : nullptr);
    if (incoming && !incoming->is_taken()) { // what follows is still the body
      co_await answer_and_close(connection, std::move(answer));
      co_return;
    }
    const answer_form form{http_version, keep_alive, is_head};
    if (!co_await write_answer(connection, answer, form))
      co_return;
    if (!keep_alive) {
      co_await connection.finish();
      co_return;
    }
  }
}

asio::awaitable<void> refuse(stream connection, error e) {
  auto refusal = error_response(e);
  co_await answer_and_close(connection, std::move(refusal));
}

} // namespace ferry::http
