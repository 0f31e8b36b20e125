// Certificates and keys out of PEM files, as OpenSSL holds them. Included by remote/*.cpp alone.
#pragma once

#include "model/error.hpp"
#include "remote/certificates.hpp"
#include "remote/openssl_handles.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace ferry::remote {

// All of a file, in their order; at least one. Errors: as read_certificate.
[[nodiscard]] result<std::vector<certificate>> read_certificates(const std::filesystem::path& file);

// Never asks for a passphrase. Errors: forbidden (others may read it), and as above.
[[nodiscard]] result<private_key> read_private_key(const std::filesystem::path& file);

// Errors: damaged, where one of the fields cannot be read. `file` is named by them.
[[nodiscard]] result<certificate_facts> facts_of(const X509* one, const std::filesystem::path& file);

// "2026-01-31 12:00:00 UTC"
[[nodiscard]] std::string words_of(instant t);

} // namespace ferry::remote
