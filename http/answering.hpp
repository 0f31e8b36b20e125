// Writing answers to a connection: whole ones, and such as come piece by piece.
#pragma once

#include "http/messages.hpp"
#include "http/stream.hpp"

#include <boost/asio/awaitable.hpp>
#include <string_view>

namespace ferry::http {

// What the request makes of the answer to it.
struct answer_form {
  unsigned http_version = 11;
  bool keep_alive = false;
  bool is_head = false; // it asked for the header alone
};

// Gives a whole answer to a GET or HEAD a weak ETag, of its bytes, where it has none; 304 without a body for who has it already.
void tag_answer(response& answer, std::string_view if_none_match);

// False: the connection is of no more use. A peer that does not take what is written to it within a time is given up.
[[nodiscard]] boost::asio::awaitable<bool> write_answer(stream& connection, response& answer, answer_form form);
// For a request that cannot be read to its end: it is answered, and the rest of it is thrown away for a moment so that the peer,
// which may still be sending, gets to read the answer instead of a reset.
[[nodiscard]] boost::asio::awaitable<void> answer_and_close(stream& connection, response answer);

} // namespace ferry::http
