// OpenSSL's functions of before 3.0: those of EVP bring providers, a configuration file and dlopen() along, which a program that is
// linked statically and starts in a millisecond can do without.
#define OPENSSL_API_COMPAT 0x10100000L
#include "cli/sha256.hpp"

#include <array>
#include <openssl/sha.h>

namespace ferry::cli {

struct sha256::state : SHA256_CTX {};

sha256::sha256() : state_(std::make_unique<state>()) { SHA256_Init(state_.get()); }
sha256::~sha256() = default;

void sha256::add(std::string_view bytes) { SHA256_Update(state_.get(), bytes.data(), bytes.size()); }

std::string sha256::finish() {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256_Final(digest.data(), state_.get());
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : digest) {
    text += digits[byte >> 4U];
    text += digits[byte & 15U];
  }
  return text;
}

} // namespace ferry::cli
