#include "http/token_store.hpp"

#include "config/limits.hpp"
#include "config/text.hpp"
#include "model/job.hpp"
#include "scheduling/users.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ferry::http {
namespace {

constexpr std::array role_names{"read", "submit", "admin"};

std::string hexadecimal(const unsigned char* bytes, std::size_t count) {
  constexpr const char* digits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    text += digits[bytes[i] >> 4];
    text += digits[bytes[i] & 15];
  }
  return text;
}

bool is_same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && !a.empty() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

tl::unexpected<error> cannot_write(const std::filesystem::path& file, int why) {
  return fail(why == ENOSPC || why == EDQUOT ? error_code::disk_full : error_code::io,
              "cannot write " + file.string() + ": " + std::strerror(why));
}

result<token_store::record> record_from(const json& one, const std::filesystem::path& file) {
  try {
    const auto level = role_from(one.at("role").get<std::string>());
    token_store::record found{.name = one.at("name"),
                              .level = level.value_or(role::read),
                              .sha256 = one.at("sha256"),
                              .created = from_unix_ms(one.at("created_ms").get<std::int64_t>())};
    if (level && found.sha256.size() == 2 * std::size_t{SHA256_DIGEST_LENGTH})
      return found;
  } catch (const json::exception&) {} // as below
  return fail(error_code::damaged, file.string() + " holds a token that cannot be read: " + config::shown(one),
              "mend the file, or remove it and make the tokens anew with `ferry token add`");
}

} // namespace

std::string_view to_string(role one) { return role_names.at(static_cast<std::size_t>(one)); }

std::optional<role> role_from(std::string_view text) {
  for (std::size_t i = 0; i < role_names.size(); ++i)
    if (text == role_names.at(i))
      return static_cast<role>(i);
  return std::nullopt;
}

result<std::string> make_token() {
  unsigned char bytes[32];
  if (::getrandom(bytes, sizeof bytes, 0) != static_cast<ssize_t>(sizeof bytes))
    return fail(error_code::io, "no random bytes are to be had for the token");
  return hexadecimal(bytes, sizeof bytes);
}

std::string sha256_of(std::string_view bytes) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest);
  return hexadecimal(digest, sizeof digest);
}

result<void> replace_file(const std::filesystem::path& file, std::string_view text) {
  const auto next = file.string() + ".new";
  const int descriptor = ::open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0)
    return cannot_write(file, errno);
  bool is_well = ::fchmod(descriptor, 0600) == 0;
  while (is_well && !text.empty()) {
    const auto n = ::write(descriptor, text.data(), text.size());
    is_well = n > 0;
    text.remove_prefix(is_well ? static_cast<std::size_t>(n) : 0);
  }
  is_well = is_well && ::fsync(descriptor) == 0;
  const int why = errno;
  ::close(descriptor);
  if (!is_well || ::rename(next.c_str(), file.c_str()) != 0) {
    const int reason = is_well ? errno : why;
    ::unlink(next.c_str());
    return cannot_write(file, reason);
  }
  const int folder = ::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool is_synced = folder >= 0 && ::fsync(folder) == 0;
  const int reason = errno;
  if (folder >= 0)
    ::close(folder);
  return is_synced ? result<void>() : cannot_write(file, reason);
}

result<token_store> token_store::open(std::filesystem::path file, std::string owner) {
  token_store store;
  store.owner_ = std::move(owner);
  store.file_ = std::move(file);
  std::error_code failed;
  if (!std::filesystem::exists(store.file_, failed))
    return store;
  std::ifstream in(store.file_);
  const auto document = json::parse(in, nullptr, false);
  if (!document.is_object() || !document.contains("tokens") || !document["tokens"].is_array())
    return fail(in ? error_code::damaged : error_code::io, store.file_.string() + " is not a list of tokens",
                "remove it and make the tokens anew with `ferry token add`");
  for (const auto& one : document["tokens"]) {
    auto read = record_from(one, store.file_);
    if (!read)
      return fail(read.error());
    store.records_.push_back(std::move(*read));
  }
  return store;
}

// All are compared, so that the time it takes tells nothing of which one it was.
std::optional<caller> token_store::find(std::string_view token) const {
  const auto digest = sha256_of(token);
  std::optional<caller> found;
  if (is_same(digest, owner_sha256_))
    found = caller{owner_, role::admin};
  for (const record& one : records_)
    if (is_same(digest, one.sha256))
      found = caller{one.name, one.level};
  return found;
}

result<std::string> token_store::add(const std::string& name, role level, instant now) {
  if (auto valid = scheduling::check_user_name(name); !valid)
    return fail(valid.error());
  if (std::any_of(records_.begin(), records_.end(), [&](const record& one) { return one.name == name; }))
    return fail(error_code::conflict, "there is a token named '" + name + "' already", "remove it, or choose another name");
  if (records_.size() >= limits::tokens_max)
    return fail(error_code::too_large, "there are " + std::to_string(records_.size()) + " tokens; at most " +
                                           std::to_string(limits::tokens_max) + " are allowed");
  auto token = make_token();
  if (!token)
    return fail(token.error());
  auto records = records_;
  records.push_back({name, level, sha256_of(*token), now});
  if (auto written = write(records); !written)
    return fail(written.error());
  records_ = std::move(records);
  return token;
}

result<void> token_store::remove(const std::string& name) {
  auto records = records_;
  if (std::erase_if(records, [&](const record& one) { return one.name == name; }) == 0)
    return fail(error_code::not_found, "there is no token named '" + config::shortened(name) + "'", "see `ferry token list`");
  if (auto written = write(records); !written)
    return fail(written.error());
  records_ = std::move(records);
  return {};
}

result<void> token_store::write(const std::vector<record>& records) const {
  json list = json::array();
  for (const record& one : records)
    list.push_back(
        {{"name", one.name}, {"role", to_string(one.level)}, {"sha256", one.sha256}, {"created_ms", to_unix_ms(one.created)}});
  return replace_file(file_, json{{"tokens", std::move(list)}}.dump(2) + "\n");
}

} // namespace ferry::http
