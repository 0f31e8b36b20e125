// A SHA-256 over bytes that come piece by piece.
#pragma once

#include <memory>
#include <openssl/evp.h>
#include <string>
#include <string_view>

namespace ferry::http {

class sha256_stream {
public:
  sha256_stream();

  void add(std::string_view bytes);
  // How many bytes were added.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  // In hexadecimal. Nothing may be added afterwards.
  [[nodiscard]] std::string finish();

private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
  std::uint64_t bytes_ = 0;
};

} // namespace ferry::http
