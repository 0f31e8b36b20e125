// The body of an answer that is not made at once: a stream of events, a large file. The connection asks for a piece, writes it, and
// asks for the next one only when that was taken; so nothing piles up before a slow reader.
#pragma once

#include "model/error.hpp"

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <optional>
#include <string>

namespace ferry::http {

class body_source {
public:
  body_source() = default;
  virtual ~body_source() = default;
  body_source(const body_source&) = delete;
  body_source& operator=(const body_source&) = delete;

  // The next piece; an empty one is the end. An error cuts the connection: the peer sees that the body is not whole.
  [[nodiscard]] virtual boost::asio::awaitable<result<std::string>> next() = 0;
  // The peer has gone: a next() that waits returns.
  virtual void stop() {}
  // How many bytes it has in all, where that is known before.
  [[nodiscard]] virtual std::optional<std::uint64_t> length() const { return std::nullopt; }
};

} // namespace ferry::http
