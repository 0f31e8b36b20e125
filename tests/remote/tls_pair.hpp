// Two ends of TLS in memory, each of which asks the other for its certificate.
#pragma once

#include "remote/certificates.hpp"

#include <openssl/ssl.h>
#include <string>

namespace ferry::remote::testing {

struct handshake_end {
  bool is_done = false;
  std::string reason; // why it failed
  std::string peer;   // the common name of the other end's certificate
  std::string heard;  // what the other end said once both were done
};

struct handshake {
  handshake_end server, client;
  [[nodiscard]] bool succeeded() const { return server.is_done && client.is_done; }
};

// The handshake, and a word in each direction after it.
[[nodiscard]] handshake shake_hands(const identity_files& server, const identity_files& client);

} // namespace ferry::remote::testing
