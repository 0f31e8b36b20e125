// What a request for a file asks of it (RFC 9110): a part of it, or nothing where the peer has it already.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

namespace ferry::http {

struct byte_range {
  std::uint64_t first = 0, count = 0; // count is never 0
  friend bool operator==(const byte_range&, const byte_range&) = default;
};
struct whole_file {
  friend bool operator==(const whole_file&, const whole_file&) = default;
};
struct no_such_range { // it begins behind the end
  friend bool operator==(const no_such_range&, const no_such_range&) = default;
};
using wanted_bytes = std::variant<whole_file, byte_range, no_such_range>;

// `header`: the value of Range, for a file of `bytes`. Several ranges, other units and what cannot be understood are answered with
// the whole file, as the standard allows.
[[nodiscard]] wanted_bytes bytes_wanted(std::string_view header, std::uint64_t bytes);

// `list`: the value of If-None-Match; whether it names `etag`, which is quoted and holds no comma.
[[nodiscard]] bool names_etag(std::string_view list, std::string_view etag);

} // namespace ferry::http
