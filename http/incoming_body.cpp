#include "http/incoming_body.hpp"

#include "config/limits.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cstring>

namespace ferry::http {
namespace asio = boost::asio;

namespace {

constexpr std::string_view go_ahead = "HTTP/1.1 100 Continue\r\n\r\n";

} // namespace

asio::awaitable<void> incoming_body::send_go_ahead() {
  boost::system::error_code failed;
  const auto bytes = asio::buffer(go_ahead.data(), go_ahead.size());
  co_await asio::async_write(connection_, bytes, asio::redirect_error(asio::use_awaitable, failed));
  is_broken_ = failed.failed();
}

std::size_t incoming_body::take_buffered(std::size_t wanted) {
  const auto count = std::min(wanted, buffer_.size());
  std::memcpy(piece_.data(), buffer_.data().data(), count);
  buffer_.consume(count);
  return count;
}

asio::awaitable<result<std::string_view>> incoming_body::next() {
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left_, limits::upload_piece_bytes));
  if (wanted == 0)
    co_return std::string_view();
  piece_.resize(wanted);
  connection_.expires_after(connection_.timeouts().body);
  auto have = take_buffered(wanted);
  if (expects_go_ahead_ && have == 0)
    co_await send_go_ahead();
  expects_go_ahead_ = false;
  while (have < wanted && !is_broken_) {
    boost::system::error_code failed;
    const auto room = asio::buffer(piece_.data() + have, wanted - have);
    have += co_await connection_.async_read_some(room, asio::redirect_error(asio::use_awaitable, failed));
    is_broken_ = failed.failed();
  }
  connection_.expires_never();
  left_ -= have;
  if (have == 0)
    co_return fail(error_code::unavailable, "the body ended " + std::to_string(left_) + " bytes early", "send the rest of it");
  co_return std::string_view(piece_.data(), have);
}

} // namespace ferry::http
