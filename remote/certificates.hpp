// The certificates by which nodes know each other: an authority (CA), made once, and one certificate a node, signed by it. Keys are
// EC P-256, signatures ECDSA with SHA-256, certificates X.509 v3 (RFC 5280), files PEM. A folder holds `ca.pem` and `ca.key`, and
// of each node `NAME.pem` and `NAME.key`.
//
// A file appears whole and synced under its name, or not at all. Nothing is overwritten but by renew_certificate. Keys have mode
// 0600 and are written before their certificates, so a key without its certificate is what an interrupted command left; the next
// one refuses and says so. Certificates cannot be revoked: where a key is lost to a stranger, make another authority.
#pragma once

#include "model/error.hpp"
#include "model/time.hpp"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ferry::remote {

struct certificate_facts {
  std::string subject; // its common name
  std::string issuer;  // the common name of who signed it
  std::string serial;  // in hexadecimal, lower case
  instant not_before{}, not_after{};
  std::vector<std::string> hosts; // DNS names and addresses
  bool is_authority = false;
};

// Makes `folder` (0700; one that is there must not be writable by others), ca.key and ca.pem. Times begin an hour before `now`, for
// clocks that are behind. Errors: conflict (there is one, or a part of one), invalid_argument, forbidden, io, disk_full.
[[nodiscard]] result<certificate_facts> make_authority(const std::filesystem::path& folder, const std::string& name,
                                                       std::chrono::days validity, instant now);

struct issued_certificate {
  std::filesystem::path certificate, key, authority; // what goes to the node
  certificate_facts facts;
};

// A key and a certificate for a node, good for both ends of a connection. Without `hosts` its name stands for its host. It may not
// outlive the authority. Errors: not_found (no authority), conflict (the name is taken), invalid_argument, too_large, forbidden,
// damaged, io, disk_full.
[[nodiscard]] result<issued_certificate> issue_certificate(const std::filesystem::path& folder, const std::string& name,
                                                           std::vector<std::string> hosts, std::chrono::days validity, instant now);

// Replaces NAME.pem by one with another time and serial. The key stays, and need not be there; without `hosts` these stay as well.
// Errors: as above; not_found where NAME was never issued.
[[nodiscard]] result<issued_certificate> renew_certificate(const std::filesystem::path& folder, const std::string& name,
                                                           std::vector<std::string> hosts, std::chrono::days validity, instant now);

// 1 to 64 of A-Z a-z 0-9 . _ -, not beginning with a dot or a dash. Errors: invalid_argument.
[[nodiscard]] result<void> check_certificate_name(std::string_view name);

// The first certificate of a file. Errors: not_found, too_large, damaged, io.
[[nodiscard]] result<certificate_facts> read_certificate(const std::filesystem::path& file);

// What a node shows others, and by what it judges theirs. `authority` may hold several certificates, one after the other, while one
// authority gives way to the next.
struct identity_files {
  std::filesystem::path certificate, key, authority;
};

struct checked_identity {
  certificate_facts certificate, authority; // the authority that signed it
  std::vector<std::string> warnings;        // what expires soon
};

// Whether a node can use these files now. The error names each problem with its file: it cannot be read, is not PEM or cut off,
// does not fit the others, is not signed by the authority, has expired or is not valid yet, is no certificate for both ends of TLS,
// or is a key that others may read.
[[nodiscard]] result<checked_identity> check_identity(const identity_files& files, instant now);

// The days left of it, rounded down; negative once it has expired.
[[nodiscard]] std::int64_t days_left(const certificate_facts& facts, instant now);

// A warning about a certificate with less than limits::certificate_warning_days left, or none. `file` is where it was read.
[[nodiscard]] std::optional<std::string> expires_soon(const certificate_facts& facts, const std::filesystem::path& file,
                                                      instant now);

} // namespace ferry::remote
