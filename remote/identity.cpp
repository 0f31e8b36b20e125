// Whether certificate, key and authority of a node fit together and are good for mutual TLS now.
#include "config/limits.hpp"
#include "config/text.hpp"
#include "remote/certificate_reading.hpp"
#include "remote/certificates.hpp"

#include <algorithm>

namespace ferry::remote {
namespace {

namespace fs = std::filesystem;

// What is wrong with the files of one identity. The first problem's code is that of the whole.
class complaints {
public:
  void add(const fs::path& file, error_code code, std::string what, std::string hint) {
    if (found_.problems.empty())
      found_.code = code;
    found_.problems.push_back({.where = {}, .what = std::move(what), .hint = std::move(hint), .file = file.string()});
  }
  // Whose text names its file already.
  void add(error e, const std::string& hint) {
    if (found_.problems.empty())
      found_.code = e.code;
    found_.problems.push_back({.where = {}, .what = std::move(e.what), .hint = e.hint.empty() ? hint : std::move(e.hint)});
  }
  [[nodiscard]] bool empty() const { return found_.problems.empty(); }
  [[nodiscard]] error take() {
    if (found_.problems.size() == 1) {
      const problem& only = found_.problems.front();
      return {found_.code, (only.file.empty() ? "" : only.file + ": ") + only.what, only.hint, {}};
    }
    found_.what = "the certificate of this node cannot be used";
    return std::move(found_);
  }

private:
  error found_;
};

// `name` comes from a certificate, which may be a stranger's.
std::string how_to_renew(const std::string& name) {
  return "`ferry certs issue " + (name.empty() ? "NAME" : config::shortened(name)) +
         " --renew` where the authority is, and copy it here";
}

std::string how_to_issue(const std::string& name) {
  const std::string shown = name.empty() ? "NAME" : config::shortened(name);
  return "copy " + shown + ".pem, " + shown + ".key and ca.pem from where `ferry certs issue " + shown + "` was run";
}

void check_times(const certificate_facts& facts, const fs::path& file, const std::string& hint, instant now, complaints& wrong) {
  if (facts.not_after <= now)
    wrong.add(file, error_code::invalid_argument, "has expired on " + words_of(facts.not_after), hint);
  else if (facts.not_before > now)
    wrong.add(file, error_code::invalid_argument,
              "is valid from " + words_of(facts.not_before) + " on, and here it is " + words_of(now),
              "set the clock of this machine");
}

// Adds what is wrong with the chain from `own` to one of `trusted`, whatever the time is; else the authority at its end.
std::optional<certificate_facts> check_chain(const std::vector<certificate>& own, const std::vector<certificate>& trusted,
                                             const identity_files& files, const std::string& name, complaints& wrong) {
  const trust_store store(X509_STORE_new());
  const certificate_list between(sk_X509_new_null());
  for (const certificate& one : trusted)
    X509_STORE_add_cert(store.get(), one.get());
  for (std::size_t i = 1; i < own.size(); ++i)
    sk_X509_push(between.get(), own[i].get());
  std::optional<certificate_facts> authority;
  for (const int purpose : {X509_PURPOSE_SSL_SERVER, X509_PURPOSE_SSL_CLIENT}) {
    const verification check(X509_STORE_CTX_new());
    X509_STORE_CTX_init(check.get(), store.get(), own.front().get(), between.get());
    X509_STORE_CTX_set_purpose(check.get(), purpose);
    X509_STORE_CTX_set_flags(check.get(), X509_V_FLAG_NO_CHECK_TIME); // has its own words
    const bool is_trusted = X509_verify_cert(check.get()) == 1;
    ERR_clear_error();
    const int why = X509_STORE_CTX_get_error(check.get());
    if (!is_trusted && why == X509_V_ERR_INVALID_PURPOSE)
      wrong.add(files.certificate, error_code::invalid_argument,
                "is not meant for both ends of TLS (extended key usage serverAuth and clientAuth)", how_to_issue(name));
    else if (!is_trusted)
      wrong.add(files.certificate, error_code::invalid_argument,
                "is not signed by the authority in " + files.authority.string() + " (" + X509_verify_cert_error_string(why) + ")",
                how_to_issue(name));
    if (!is_trusted)
      return std::nullopt;
    const STACK_OF(X509)* chain = X509_STORE_CTX_get0_chain(check.get());
    auto facts = facts_of(sk_X509_value(chain, sk_X509_num(chain) - 1), files.authority);
    if (!facts) {
      wrong.add(std::move(facts.error()), how_to_issue(name));
      return std::nullopt;
    }
    authority = std::move(*facts);
  }
  return authority;
}

} // namespace

std::int64_t days_left(const certificate_facts& facts, instant now) {
  return std::chrono::floor<std::chrono::days>(facts.not_after - now).count();
}

std::optional<std::string> expires_soon(const certificate_facts& facts, const fs::path& file, instant now) {
  const auto left = days_left(facts, now);
  if (left >= limits::certificate_warning_days)
    return std::nullopt;
  const std::string when = facts.not_after <= now ? " has expired on " : " expires on ";
  const std::string within = facts.not_after <= now ? "" : ", in " + std::to_string(left) + (left == 1 ? " day" : " days");
  return file.string() + when + words_of(facts.not_after) + within + ": " +
         (facts.is_authority
              ? "make another authority in another folder (`ferry certs init --dir DIR`) and issue all certificates anew"
              : how_to_renew(facts.subject));
}

result<checked_identity> check_identity(const identity_files& files, instant now) {
  complaints wrong;
  checked_identity found;
  const auto own = read_certificates(files.certificate);
  if (!own) {
    wrong.add(own.error(), how_to_issue(""));
  } else if (auto facts = facts_of(own->front().get(), files.certificate); !facts) {
    wrong.add(std::move(facts.error()), how_to_issue(""));
  } else {
    found.certificate = std::move(*facts);
    check_times(found.certificate, files.certificate, how_to_renew(found.certificate.subject), now, wrong);
  }
  const std::string& name = found.certificate.subject;
  const auto key = read_private_key(files.key);
  if (!key)
    wrong.add(key.error(), how_to_issue(name));
  const auto trusted = read_certificates(files.authority);
  if (!trusted)
    wrong.add(trusted.error(), "copy ca.pem from where `ferry certs init` was run");
  if (own && key && X509_check_private_key(own->front().get(), key->get()) != 1) {
    ERR_clear_error();
    wrong.add(files.key, error_code::invalid_argument, "is not the key of " + files.certificate.string(), how_to_issue(name));
  }
  if (own && trusted)
    if (auto authority = check_chain(*own, *trusted, files, name, wrong)) {
      found.authority = std::move(*authority);
      check_times(found.authority, files.authority, "make another authority and issue all certificates anew", now, wrong);
    }
  if (!wrong.empty())
    return fail(wrong.take());
  for (const auto& [facts, file] :
       {std::pair{&found.certificate, &files.certificate}, std::pair{&found.authority, &files.authority}})
    if (auto warning = expires_soon(*facts, *file, now))
      found.warnings.push_back(std::move(*warning));
  return found;
}

} // namespace ferry::remote
