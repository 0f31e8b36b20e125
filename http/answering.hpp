// Writing answers to a connection: whole ones, and such as come piece by piece.
#pragma once

#include "http/messages.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>

namespace ferry::http {

// Unix sockets and TCP are served by the same code.
using stream = boost::beast::basic_stream<boost::asio::generic::stream_protocol>;

// What the request makes of the answer to it.
struct answer_form {
  unsigned http_version = 11;
  bool keep_alive = false;
  bool is_head = false; // it asked for the header alone
};

// False: the connection is of no more use. A peer that does not take what is written to it within a time is given up.
[[nodiscard]] boost::asio::awaitable<bool> write_answer(stream& connection, response& answer, answer_form form);
// For a request that cannot be read to its end: it is answered, and the rest of it is thrown away for a moment so that the peer,
// which may still be sending, gets to read the answer instead of a reset.
[[nodiscard]] boost::asio::awaitable<void> answer_and_close(stream& connection, response answer);

} // namespace ferry::http
