// The whole of a body that comes in pieces, for tests.
#pragma once

#include "http/body_source.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

namespace ferry::http::test {

// Or the error that ended it.
inline result<std::string> read_all(body_source& body) {
  boost::asio::io_context context;
  result<std::string> all = std::string();
  auto reading = [&]() -> boost::asio::awaitable<void> {
    for (;;) {
      auto piece = co_await body.next();
      if (!piece) {
        all = fail(piece.error());
        co_return;
      }
      if (piece->empty())
        co_return;
      *all += *piece;
    }
  };
  boost::asio::co_spawn(context, reading(), [](std::exception_ptr) {});
  context.run();
  return all;
}

} // namespace ferry::http::test
