#include "tests/remote/tls_pair.hpp"

#include <array>
#include <memory>
#include <openssl/err.h>
#include <stdexcept>

namespace ferry::remote::testing {
namespace {

using context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;
using connection = std::unique_ptr<SSL, decltype(&SSL_free)>;

std::string last_reason() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return reason == nullptr ? "" : reason;
}

context context_of(const identity_files& files) {
  context made(SSL_CTX_new(TLS_method()), SSL_CTX_free);
  SSL_CTX_set_verify(made.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  if (SSL_CTX_use_certificate_chain_file(made.get(), files.certificate.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(made.get(), files.key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_load_verify_locations(made.get(), files.authority.c_str(), nullptr) != 1)
    throw std::runtime_error("the files of " + files.certificate.string() + " cannot be loaded: " + last_reason());
  return made;
}

// One step; false once nothing more comes of it.
bool advance(SSL* end, handshake_end& about) {
  if (about.is_done || !about.reason.empty())
    return false;
  const int status = SSL_do_handshake(end);
  if (status == 1) {
    about.is_done = true;
    std::array<char, 100> name{};
    const std::unique_ptr<X509, decltype(&X509_free)> peer(SSL_get1_peer_certificate(end), X509_free);
    X509_NAME_get_text_by_NID(X509_get_subject_name(peer.get()), NID_commonName, name.data(), static_cast<int>(name.size()));
    about.peer = name.data();
    return true;
  }
  const int why = SSL_get_error(end, status);
  if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
    about.reason = last_reason();
  return true;
}

std::string read_word(SSL* end, handshake_end& about) {
  std::array<char, 100> bytes{};
  const int n = SSL_read(end, bytes.data(), static_cast<int>(bytes.size()));
  if (n <= 0) {
    // Under TLS 1.3 a client is done before the server has looked at its certificate.
    about.is_done = false;
    about.reason = last_reason();
  }
  return {bytes.data(), static_cast<std::size_t>(n > 0 ? n : 0)};
}

} // namespace

handshake shake_hands(const identity_files& server_files, const identity_files& client_files) {
  const context server_side = context_of(server_files), client_side = context_of(client_files);
  const connection server(SSL_new(server_side.get()), SSL_free), client(SSL_new(client_side.get()), SSL_free);
  BIO *server_end = nullptr, *client_end = nullptr;
  BIO_new_bio_pair(&server_end, 0, &client_end, 0);
  SSL_set_bio(server.get(), server_end, server_end);
  SSL_set_bio(client.get(), client_end, client_end);
  SSL_set_accept_state(server.get());
  SSL_set_connect_state(client.get());
  handshake result;
  constexpr int steps_max = 100; // a handshake needs a few; one that hangs is a failure
  for (int i = 0; i < steps_max && (advance(client.get(), result.client) | advance(server.get(), result.server)); ++i) {}
  if (result.succeeded()) {
    SSL_write(server.get(), "from the server", 15);
    SSL_write(client.get(), "from the client", 15);
  }
  if (result.client.is_done)
    result.client.heard = read_word(client.get(), result.client);
  if (result.server.is_done)
    result.server.heard = read_word(server.get(), result.server);
  return result;
}

} // namespace ferry::remote::testing
