#include "tests/integration/tls_peer.hpp"

#include <arpa/inet.h>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>
#include <utility>

namespace ferry::tests {
namespace {

template <auto Free>
struct freed_by {
  template <class T>
  void operator()(T* what) const {
    Free(what);
  }
};

} // namespace

void make_certificate(const certificate_order& order) {
  const std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>> key(EVP_EC_gen("P-256"));
  const std::unique_ptr<X509, freed_by<X509_free>> made(X509_new());
  REQUIRE((key && made));
  X509_set_version(made.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), order.valid_from_s);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), order.valid_to_s);
  X509_set_pubkey(made.get(), key.get());
  X509_NAME* name = X509_get_subject_name(made.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("ferry"), -1, -1, 0);
  X509_set_issuer_name(made.get(), name);
  for (const auto& [kind, value] :
       {std::pair{NID_basic_constraints, "critical,CA:TRUE"},
        std::pair{NID_subject_alt_name,
                  "DNS:localhost,IP:127.0.0.1,DNS:GPU.example.org,IP:10.1.2.3,IP:fd00::5,DNS:*.example.com"}}) {
    const std::unique_ptr<X509_EXTENSION, freed_by<X509_EXTENSION_free>> one(X509V3_EXT_conf_nid(nullptr, nullptr, kind, value));
    REQUIRE(one);
    X509_add_ext(made.get(), one.get(), -1);
  }
  REQUIRE(X509_sign(made.get(), key.get(), EVP_sha256()) > 0);
  const auto old_mask = ::umask(0077);
  std::FILE* file = std::fopen(order.file.c_str(), "w");
  REQUIRE((file && PEM_write_X509(file, made.get()) == 1));
  std::fclose(file);
  file = std::fopen(order.key_file.c_str(), "w");
  const bool is_locked = !order.passphrase.empty();
  REQUIRE((file && PEM_write_PrivateKey(file, key.get(), is_locked ? EVP_aes_128_cbc() : nullptr, nullptr, 0, nullptr,
                                        is_locked ? const_cast<char*>(order.passphrase.c_str()) : nullptr) == 1));
  std::fclose(file);
  ::umask(old_mask);
}

struct tls_peer::state {
  std::unique_ptr<SSL_CTX, freed_by<SSL_CTX_free>> context;
  std::unique_ptr<SSL, freed_by<SSL_free>> tls;
  int descriptor = -1;
  std::string rest;
  ~state() {
    tls.reset();
    ::close(descriptor);
  }
  // False: there is no more.
  bool read_more() {
    std::array<char, 65536> piece{};
    const int n = SSL_read(tls.get(), piece.data(), static_cast<int>(piece.size()));
    if (n > 0)
      rest.append(piece.data(), static_cast<std::size_t>(n));
    return n > 0;
  }
};

std::unique_ptr<tls_peer::state> tls_peer::connect(int port, const std::string& trusted, const std::string& host, version newest) {
  auto made = std::make_unique<state>();
  made->context.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_security_level(made->context.get(), 0); // also what is too old may be offered
  SSL_CTX_set_max_proto_version(made->context.get(), newest == version::tls_1_1   ? TLS1_1_VERSION
                                                     : newest == version::tls_1_2 ? TLS1_2_VERSION
                                                                                  : TLS1_3_VERSION);
  REQUIRE(SSL_CTX_load_verify_locations(made->context.get(), trusted.c_str(), nullptr) == 1);
  SSL_CTX_set_verify(made->context.get(), SSL_VERIFY_PEER, nullptr);
  made->tls.reset(SSL_new(made->context.get()));
  SSL_set1_host(made->tls.get(), host.c_str());
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  made->descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{.tv_sec = 60, .tv_usec = 0};
  ::setsockopt(made->descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  REQUIRE(::connect(made->descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  SSL_set_fd(made->tls.get(), made->descriptor);
  if (SSL_connect(made->tls.get()) != 1) {
    ERR_clear_error();
    return nullptr;
  }
  return made;
}

tls_peer::tls_peer(int port, const std::string& trusted, const std::string& host)
    : tls_peer(connect(port, trusted, host, version::tls_1_3)) {}
tls_peer::tls_peer(std::unique_ptr<state> at) : at_(std::move(at)) { REQUIRE(at_ != nullptr); }
tls_peer::~tls_peer() = default;
tls_peer::tls_peer(tls_peer&&) noexcept = default;

bool tls_peer::can_connect(int port, const std::string& trusted, const std::string& host, version newest) {
  return connect(port, trusted, host, newest) != nullptr;
}

void tls_peer::send(const std::string& bytes) {
  REQUIRE(SSL_write(at_->tls.get(), bytes.data(), static_cast<int>(bytes.size())) == static_cast<int>(bytes.size()));
}

std::string tls_peer::read_until(const std::string& mark) {
  std::size_t at = 0;
  while ((at = at_->rest.find(mark)) == std::string::npos)
    if (!at_->read_more())
      return std::exchange(at_->rest, {});
  auto found = at_->rest.substr(0, at + mark.size());
  at_->rest.erase(0, found.size());
  return found;
}

std::string tls_peer::read_to_end() {
  while (at_->read_more()) {}
  return std::exchange(at_->rest, {});
}

bool tls_peer::was_ended_properly() const { return (SSL_get_shutdown(at_->tls.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }

} // namespace ferry::tests
