// How long the HTTP server waits for a peer, and for how many at once.
#pragma once

#include <chrono>

namespace ferry::config {

struct http_timeouts {
  std::chrono::milliseconds idle = std::chrono::seconds{75};   // for the first byte of a request
  std::chrono::milliseconds header = std::chrono::seconds{10}; // for the rest of its header; for a TLS handshake
  std::chrono::milliseconds body = std::chrono::seconds{60};   // for its body; of an upload for each piece of it
  std::chrono::milliseconds answer = std::chrono::seconds{60}; // for the peer to take an answer, or a piece of one
};

} // namespace ferry::config
