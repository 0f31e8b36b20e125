// Certificates, and a client that speaks TLS, by OpenSSL.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

namespace ferry::tests {

// For localhost, 127.0.0.1, gpu.example.org, 10.1.2.3 and fd00::5; signed by itself. Times are seconds from now.
struct certificate_order {
  std::filesystem::path file, key_file; // the key has mode 0600
  long valid_from_s = -3600, valid_to_s = 90L * 24 * 3600;
  std::string passphrase = {}; // of the key
};
void make_certificate(const certificate_order& order);

// Fails the test where the handshake fails, and after a minute without a byte.
class tls_peer {
public:
  enum class version { tls_1_1, tls_1_2, tls_1_3 };

  // Trusts the certificate in `trusted` alone, and the peer only as `host`.
  tls_peer(int port, const std::string& trusted, const std::string& host);
  ~tls_peer();
  tls_peer(tls_peer&&) noexcept;
  [[nodiscard]] static bool can_connect(int port, const std::string& trusted, const std::string& host, version newest);

  void send(const std::string& bytes);
  [[nodiscard]] std::string read_until(const std::string& mark); // with the mark; less where the peer ends before
  [[nodiscard]] std::string read_to_end();
  // By saying so, not by just closing: nothing was cut off.
  [[nodiscard]] bool was_ended_properly() const;

private:
  struct state;
  explicit tls_peer(std::unique_ptr<state> at);
  [[nodiscard]] static std::unique_ptr<state> connect(int port, const std::string& trusted, const std::string& host,
                                                      version newest);
  std::unique_ptr<state> at_;
};

} // namespace ferry::tests
