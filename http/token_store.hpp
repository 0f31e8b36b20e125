// Who may use the daemon over TCP: the token of its owner, who may do everything, and named ones with a role. Of these only their
// SHA-256 is stored, in one file (mode 0600) that is replaced as a whole and synced.
#pragma once

#include "model/error.hpp"
#include "model/time.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ferry::http {

// Each may do what the one before may.
enum class role {
  read,   // look at everything
  submit, // submit jobs, and change its own
  admin,  // all there is
};
[[nodiscard]] std::string_view to_string(role one);
[[nodiscard]] std::optional<role> role_from(std::string_view text);

struct caller {
  std::string user;
  role level = role::read;
};

// 256 random bits in hexadecimal. Errors: io.
[[nodiscard]] result<std::string> make_token();
[[nodiscard]] std::string sha256_of(std::string_view bytes); // in hexadecimal
// Replaces `file` as a whole, synced, with mode 0600. Errors: io, disk_full.
[[nodiscard]] result<void> replace_file(const std::filesystem::path& file, std::string_view text);

class token_store {
public:
  struct record {
    std::string name;
    role level = role::read;
    std::string sha256;
    instant created{};
  };

  // `owner`: the name of the daemon's user. A file that does not exist has no tokens. Errors: io, damaged.
  [[nodiscard]] static result<token_store> open(std::filesystem::path file, std::string owner);
  void set_owner_token(std::string_view token) { owner_sha256_ = sha256_of(token); }

  [[nodiscard]] std::optional<caller> find(std::string_view token) const;
  [[nodiscard]] const std::vector<record>& named() const { return records_; }
  // The new token, which is told this once. Errors: conflict (the name is taken), too_large, invalid_argument, io, disk_full.
  [[nodiscard]] result<std::string> add(const std::string& name, role level, instant now);
  // Errors: not_found, io, disk_full.
  [[nodiscard]] result<void> remove(const std::string& name);

private:
  [[nodiscard]] result<void> write(const std::vector<record>& records) const;

  std::filesystem::path file_;
  std::string owner_, owner_sha256_;
  std::vector<record> records_; // by age
};

} // namespace ferry::http
