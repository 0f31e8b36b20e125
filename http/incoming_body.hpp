// The body of a request that is taken piece by piece, as its handler asks for it: who sends faster than that is not read from.
#pragma once

#include "http/answering.hpp"
#include "http/messages.hpp"

#include <boost/beast/core/flat_buffer.hpp>

namespace ferry::http {

class incoming_body {
public:
  // `head`: of the request; `buffer`: what was read behind it. Both, and the connection, outlive this.
  incoming_body(stream& connection, boost::beast::flat_buffer& buffer, std::uint64_t bytes, bool expects_go_ahead)
      : connection_(connection), buffer_(buffer), bytes_(bytes), left_(bytes), expects_go_ahead_(expects_go_ahead) {}

  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] bool is_taken() const { return left_ == 0; }
  // The next bytes, valid until the next call; none: this was all. A peer that takes more than http.timeouts.body
  // for a piece of limits::upload_piece_bytes is given up; what it sent until then comes first. Errors: unavailable (it has gone).
  [[nodiscard]] boost::asio::awaitable<result<std::string_view>> next();

private:
  boost::asio::awaitable<void> send_go_ahead();
  [[nodiscard]] std::size_t take_buffered(std::size_t wanted);

  stream& connection_;
  boost::beast::flat_buffer& buffer_;
  std::uint64_t bytes_, left_;
  bool expects_go_ahead_;
  bool is_broken_ = false;
  std::string piece_;
};

} // namespace ferry::http
