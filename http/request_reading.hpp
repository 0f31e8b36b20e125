// From a message as it was parsed to a request of the API.
#pragma once

#include "http/messages.hpp"

namespace ferry::http {

using message = boost::beast::http::request<boost::beast::http::string_body>;

// Whether the body of such a request is taken by its handler, piece by piece, and has a bound of its own.
[[nodiscard]] bool is_streamed(const message& asked);
// Takes its body. Errors: invalid_argument (a target that is no path), not_found (not below /api/v1).
[[nodiscard]] result<request> request_from(message& from);

} // namespace ferry::http
