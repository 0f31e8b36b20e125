// One connection: reads requests, bounds them, answers them in order.
#pragma once

#include "http/access.hpp"
#include "http/answering.hpp"
#include "http/api.hpp"

#include <boost/asio/awaitable.hpp>
#include <string>

namespace ferry::http {

// Serves until the peer leaves, is silent for too long or breaks HTTP. `who`: checks each request; null: who may open the Unix
// socket may do everything.
[[nodiscard]] boost::asio::awaitable<void> serve(stream connection, api& handler, const access* who);
// Answers the first request with `e` and closes.
[[nodiscard]] boost::asio::awaitable<void> refuse(stream connection, error e);

} // namespace ferry::http
