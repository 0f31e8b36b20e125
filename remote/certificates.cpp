#include "remote/certificates.hpp"

#include "config/limits.hpp"
#include "config/text.hpp"
#include "remote/certificate_files.hpp"
#include "remote/certificate_reading.hpp"
#include "remote/openssl_handles.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <openssl/ec.h>
#include <openssl/pem.h>

namespace ferry::remote {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::hours backdated{1};
constexpr int serial_bits = 128;

struct authority_paths {
  fs::path certificate, key;
};

authority_paths authority_in(const fs::path& folder) { return {folder / "ca.pem", folder / "ca.key"}; }

// What a certificate is to say; signed by `issuer_key` in the name of `issuer`, by itself where there is none.
struct draft {
  std::string name;
  EVP_PKEY* key = nullptr;
  const X509* issuer = nullptr;
  EVP_PKEY* issuer_key = nullptr;
  instant from{}, until{};
  std::vector<std::pair<int, std::string>> extensions; // by NID, as OpenSSL's configuration writes them
};

tl::unexpected<error> refused_by_openssl(const std::string& what) {
  return fail(error_code::internal, "OpenSSL cannot " + what + ": " + openssl_reason());
}

bool is_one_of(char c, std::string_view others) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || others.find(c) != others.npos;
}

bool is_address(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return ::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 || ::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

// Labels of letters, digits, dashes and underscores; the last one is no number, so that no mistyped address passes.
bool is_dns_name(std::string_view text) {
  constexpr std::size_t label_bytes_max = 63;
  if (text.empty() || text.size() > limits::host_name_bytes_max)
    return false;
  for (;;) {
    const auto label = text.substr(0, text.find('.'));
    if (label.empty() || label.size() > label_bytes_max || label.front() == '-' || label.back() == '-' ||
        !std::ranges::all_of(label, [](char c) { return is_one_of(c, "-_"); }))
      return false;
    if (label.size() == text.size())
      return !std::ranges::all_of(label, [](char c) { return c >= '0' && c <= '9'; });
    text.remove_prefix(label.size() + 1);
  }
}

result<void> check_hosts(const std::vector<std::string>& hosts) {
  if (hosts.size() > limits::certificate_hosts_max)
    return fail(error_code::too_large, std::to_string(hosts.size()) + " hosts are too many for one certificate: at most " +
                                           std::to_string(limits::certificate_hosts_max));
  for (const std::string& host : hosts)
    if (!is_address(host) && !is_dns_name(host))
      return fail(error_code::invalid_argument, "host \"" + config::shortened(host) + "\" is neither a DNS name nor an address",
                  "such as worker1.example, 192.0.2.7 or 2001:db8::7, without a port");
  return {};
}

result<void> check_days(std::chrono::days validity) {
  if (validity.count() >= 1 && validity.count() <= limits::certificate_days_max)
    return {};
  return fail(error_code::invalid_argument, "a certificate is valid for 1 to " + std::to_string(limits::certificate_days_max) +
                                                " days, not for " + std::to_string(validity.count()));
}

bool set_time(ASN1_TIME* time, instant t) {
  return time != nullptr && ASN1_TIME_set(time, std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count()) != nullptr;
}

bool set_serial(X509* one) {
  const big_number number(BN_new());
  return number && BN_rand(number.get(), serial_bits, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(one)) != nullptr;
}

bool set_name(X509* one, const std::string& name) {
  return X509_NAME_add_entry_by_NID(X509_get_subject_name(one), NID_commonName, MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(name.data()), static_cast<int>(name.size()), -1, 0) == 1;
}

bool add_extensions(X509* one, const draft& d) {
  X509V3_CTX about{};
  X509V3_set_ctx(&about, const_cast<X509*>(d.issuer == nullptr ? one : d.issuer), one, nullptr, nullptr, 0); // NOLINT: only read
  for (const auto& [kind, value] : d.extensions) {
    const extension made(X509V3_EXT_conf_nid(nullptr, &about, kind, value.c_str()));
    if (!made || X509_add_ext(one, made.get(), -1) != 1)
      return false;
  }
  return true;
}

result<certificate> sign(const draft& d) {
  ERR_clear_error();
  certificate made(X509_new());
  X509* one = made.get();
  const bool is_signed = one != nullptr && X509_set_version(one, X509_VERSION_3) == 1 && set_serial(one) && set_name(one, d.name) &&
                         X509_set_issuer_name(one, X509_get_subject_name(d.issuer == nullptr ? one : d.issuer)) == 1 &&
                         set_time(X509_getm_notBefore(one), d.from) && set_time(X509_getm_notAfter(one), d.until) &&
                         X509_set_pubkey(one, d.key) == 1 && add_extensions(one, d) &&
                         X509_sign(one, d.issuer_key, EVP_sha256()) > 0;
  if (!is_signed)
    return refused_by_openssl("make the certificate of " + d.name);
  return made;
}

result<private_key> make_key() {
  ERR_clear_error();
  private_key key(EVP_EC_gen("P-256"));
  if (!key)
    return refused_by_openssl("make a key");
  return key;
}

// The bytes that a memory BIO holds.
std::string_view text_in(const memory_bio& bio) {
  char* begin = nullptr;
  const long size = BIO_ctrl(bio.get(), BIO_CTRL_INFO, 0, &begin);
  return {begin, static_cast<std::size_t>(size)};
}

result<void> write_key(const fs::path& file, const private_key& key) {
  const memory_bio text(BIO_new(BIO_s_secmem())); // wiped when it goes
  if (!text || PEM_write_bio_PKCS8PrivateKey(text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return refused_by_openssl("write down a key");
  return write_new_file(file, text_in(text), 0600);
}

result<void> write_certificate(const fs::path& file, const certificate& one,
                               result<void> (*write)(const fs::path&, std::string_view, mode_t)) {
  const memory_bio text(BIO_new(BIO_s_mem()));
  if (!text || PEM_write_bio_X509(text.get(), one.get()) != 1)
    return refused_by_openssl("write down a certificate");
  return write(file, text_in(text), 0644);
}

// A key without its certificate would only be in the way of the next try.
result<void> write_pair(const fs::path& key_file, const private_key& key, const fs::path& file, const certificate& one) {
  if (auto written = write_key(key_file, key); !written)
    return written;
  auto written = write_certificate(file, one, write_new_file);
  std::error_code ignored;
  if (!written)
    fs::remove(key_file, ignored);
  return written;
}

bool is_there(const fs::path& file) {
  std::error_code failed;
  return fs::symlink_status(file, failed).type() != fs::file_type::not_found;
}

struct loaded_authority {
  certificate own;
  private_key key;
  certificate_facts facts;
};

result<loaded_authority> load_authority(const fs::path& folder, instant now) {
  const auto paths = authority_in(folder);
  if (!is_there(paths.certificate) && !is_there(paths.key))
    return fail(error_code::not_found, "there is no certificate authority in " + folder.string(), "`ferry certs init` makes one");
  if (!is_there(paths.certificate))
    return fail(error_code::damaged, paths.key.string() + " is there without ca.pem: a `ferry certs init` that was interrupted",
                "remove " + paths.key.string() + " and run `ferry certs init` again");
  if (!is_there(paths.key))
    return fail(error_code::not_found, "the key of the authority, " + paths.key.string() + ", is not here",
                "certificates are issued where `ferry certs init` was run; --dir names another folder");
  auto all = read_certificates(paths.certificate);
  auto key = read_private_key(paths.key);
  if (!all || !key)
    return fail(all ? key.error() : all.error());
  loaded_authority found{std::move(all->front()), std::move(*key), {}};
  auto facts = facts_of(found.own.get(), paths.certificate);
  if (!facts)
    return fail(facts.error());
  found.facts = std::move(*facts);
  if (!found.facts.is_authority)
    return fail(error_code::invalid_argument, paths.certificate.string() + " is not the certificate of an authority");
  if (X509_check_private_key(found.own.get(), found.key.get()) != 1) {
    ERR_clear_error();
    return fail(error_code::damaged, paths.key.string() + " is not the key of " + paths.certificate.string(),
                "bring the two files together that belong together, or make another authority in another folder");
  }
  if (found.facts.not_after <= now)
    return fail(error_code::invalid_argument, paths.certificate.string() + " has expired on " + words_of(found.facts.not_after),
                "make another authority in another folder: `ferry certs init --dir DIR`, and issue all certificates anew");
  return found;
}

result<void> check_request(const std::string& name, const std::vector<std::string>& hosts, std::chrono::days validity) {
  if (auto checked = check_certificate_name(name); !checked)
    return checked;
  if (name == "ca")
    return fail(error_code::invalid_argument, "\"ca\" is the authority's own name", "give the node another one");
  if (auto checked = check_hosts(hosts); !checked)
    return checked;
  return check_days(validity);
}

result<certificate> sign_node(const loaded_authority& by, const std::string& name, EVP_PKEY* key,
                              const std::vector<std::string>& hosts, std::chrono::days validity, instant now) {
  if (now + validity > by.facts.not_after)
    return fail(error_code::invalid_argument,
                "a certificate of " + std::to_string(validity.count()) +
                    " days would outlive its authority, which is valid until " + words_of(by.facts.not_after),
                "--days " + std::to_string(std::max<std::int64_t>(days_left(by.facts, now), 1)) +
                    " at most, or make another authority in another folder");
  std::string names;
  for (const std::string& host : hosts)
    names += (names.empty() ? "" : ",") + std::string(is_address(host) ? "IP:" : "DNS:") + host;
  return sign({.name = name,
               .key = key,
               .issuer = by.own.get(),
               .issuer_key = by.key.get(),
               .from = now - backdated,
               .until = now + validity,
               .extensions = {{NID_basic_constraints, "critical,CA:FALSE"},
                              {NID_key_usage, "critical,digitalSignature"},
                              {NID_ext_key_usage, "serverAuth,clientAuth"},
                              {NID_subject_key_identifier, "hash"},
                              {NID_authority_key_identifier, "keyid:always"},
                              {NID_subject_alt_name, names}}});
}

// Without hosts, the name is that of the host as well.
result<std::vector<std::string>> hosts_or_name(std::vector<std::string> hosts, const std::string& name) {
  if (hosts.empty() && !is_dns_name(name))
    return fail(error_code::invalid_argument, "\"" + name + "\" is no name of a host, so a host has to be given", "--host HOST");
  if (hosts.empty())
    hosts.push_back(name);
  return hosts;
}

} // namespace

result<void> check_certificate_name(std::string_view name) {
  if (!name.empty() && name.size() <= limits::certificate_name_bytes_max && name.front() != '.' && name.front() != '-' &&
      std::ranges::all_of(name, [](char c) { return is_one_of(c, "._-"); }))
    return {};
  return fail(error_code::invalid_argument, "\"" + config::shortened(name) + "\" cannot be the name of a certificate",
              "1 to " + std::to_string(limits::certificate_name_bytes_max) +
                  " letters, digits, dots, dashes and underscores, not beginning with a dot or a dash");
}

result<certificate_facts> make_authority(const fs::path& folder, const std::string& name, std::chrono::days validity, instant now) {
  if (auto checked = check_certificate_name(name); !checked)
    return fail(checked.error());
  if (auto checked = check_days(validity); !checked)
    return fail(checked.error());
  const auto paths = authority_in(folder);
  if (is_there(paths.certificate))
    return fail(error_code::conflict,
                paths.certificate.string() + " is there already: an authority is made once and not overwritten",
                "`ferry certs show` shows it; --dir names another folder");
  if (is_there(paths.key))
    return fail(error_code::conflict, paths.key.string() + " is there without ca.pem: a `ferry certs init` that was interrupted",
                "nothing was issued by it: remove " + paths.key.string() + " and run `ferry certs init` again");
  if (auto made = make_own_folder(folder); !made)
    return fail(made.error());
  const auto key = make_key();
  if (!key)
    return fail(key.error());
  const auto own = sign({.name = name,
                         .key = key->get(),
                         .issuer_key = key->get(),
                         .from = now - backdated,
                         .until = now + validity,
                         .extensions = {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                                        {NID_key_usage, "critical,keyCertSign"},
                                        {NID_subject_key_identifier, "hash"}}});
  if (!own)
    return fail(own.error());
  if (auto written = write_pair(paths.key, *key, paths.certificate, *own); !written)
    return fail(written.error());
  return facts_of(own->get(), paths.certificate);
}

result<issued_certificate> issue_certificate(const fs::path& folder, const std::string& name, std::vector<std::string> hosts,
                                             std::chrono::days validity, instant now) {
  if (auto checked = check_request(name, hosts, validity); !checked)
    return fail(checked.error());
  auto names = hosts_or_name(std::move(hosts), name);
  if (!names)
    return fail(names.error());
  const auto authority = load_authority(folder, now);
  if (!authority)
    return fail(authority.error());
  issued_certificate made{folder / (name + ".pem"), folder / (name + ".key"), authority_in(folder).certificate, {}};
  if (is_there(made.certificate))
    return fail(error_code::conflict, made.certificate.string() + " is there already",
                "`ferry certs issue " + name + " --renew` replaces it and keeps its key");
  if (is_there(made.key))
    return fail(error_code::conflict,
                made.key.string() + " is there without " + name + ".pem: a `ferry certs issue` that was interrupted",
                "remove " + made.key.string() + " and run `ferry certs issue " + name + "` again");
  const auto key = make_key();
  if (!key)
    return fail(key.error());
  const auto own = sign_node(*authority, name, key->get(), *names, validity, now);
  if (!own)
    return fail(own.error());
  if (auto written = write_pair(made.key, *key, made.certificate, *own); !written)
    return fail(written.error());
  auto facts = facts_of(own->get(), made.certificate);
  if (!facts)
    return fail(facts.error());
  made.facts = std::move(*facts);
  return made;
}

result<issued_certificate> renew_certificate(const fs::path& folder, const std::string& name, std::vector<std::string> hosts,
                                             std::chrono::days validity, instant now) {
  if (auto checked = check_request(name, hosts, validity); !checked)
    return fail(checked.error());
  const auto authority = load_authority(folder, now);
  if (!authority)
    return fail(authority.error());
  issued_certificate made{folder / (name + ".pem"), folder / (name + ".key"), authority_in(folder).certificate, {}};
  if (!is_there(made.certificate))
    return fail(error_code::not_found, made.certificate.string() + " is not there, so there is nothing to renew",
                "`ferry certs issue " + name + "` without --renew makes it");
  const auto old = read_certificates(made.certificate);
  if (!old)
    return fail(old.error());
  const auto before = facts_of(old->front().get(), made.certificate);
  if (!before)
    return fail(before.error());
  auto names = hosts_or_name(hosts.empty() ? before->hosts : std::move(hosts), name);
  if (!names)
    return fail(names.error());
  if (auto checked = check_hosts(*names); !checked) // those of the file were not, yet
    return fail(checked.error());
  const auto own = sign_node(*authority, name, X509_get0_pubkey(old->front().get()), *names, validity, now);
  if (!own)
    return fail(own.error());
  if (auto written = write_certificate(made.certificate, *own, replace_file); !written)
    return fail(written.error());
  auto facts = facts_of(own->get(), made.certificate);
  if (!facts)
    return fail(facts.error());
  made.facts = std::move(*facts);
  return made;
}

} // namespace ferry::remote
