// One connection: reads requests, bounds them, answers them in order.
#pragma once

#include "http/api.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <string>

namespace ferry::http {

// Unix sockets and TCP are served by the same code.
using stream = boost::beast::basic_stream<boost::asio::generic::stream_protocol>;

// Serves until the peer leaves, is silent for too long or breaks HTTP. `token`: what a request must bear; empty: nothing (Unix
// socket).
[[nodiscard]] boost::asio::awaitable<void> serve(stream connection, api& handler, std::string token);
// Answers the first request with `e` and closes.
[[nodiscard]] boost::asio::awaitable<void> refuse(stream connection, error e);

} // namespace ferry::http
