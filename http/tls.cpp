#include "http/tls.hpp"

#include "config/limits.hpp"
#include "remote/openssl_handles.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

namespace ferry::http {
namespace {

constexpr const char* certificate_key = "http.tcp.certificate";
constexpr const char* key_key = "http.tcp.key";

using remote::certificate;
using remote::memory_bio;
using remote::private_key;

tl::unexpected<error> bad(const char* key, const std::filesystem::path& file, const std::string& why, std::string hint = {}) {
  ERR_clear_error();
  return fail(error_code::invalid_argument, std::string(key) + ": " + file.string() + " " + why, std::move(hint));
}

result<std::string> read_pem(const char* key, const std::filesystem::path& file) {
  struct stat about {};
  if (::stat(file.c_str(), &about) != 0)
    return bad(key, file, std::string("cannot be read: ") + std::strerror(errno));
  if (!S_ISREG(about.st_mode) || about.st_size > static_cast<off_t>(limits::pem_file_bytes_max))
    return bad(key, file,
               S_ISREG(about.st_mode) ? "has " + std::to_string(about.st_size) + " bytes; at most " +
                                            std::to_string(limits::pem_file_bytes_max) + " are allowed"
                                      : "is not a file");
  std::ifstream in(file, std::ios::binary);
  std::string text(static_cast<std::size_t>(about.st_size), '\0');
  if (!in.read(text.data(), static_cast<std::streamsize>(text.size())))
    return bad(key, file, std::string("cannot be read: ") + std::strerror(errno));
  return text;
}

memory_bio memory_of(const std::string& text) { return memory_bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

// The daemon's own, then its issuers'. Empty: there is none.
std::vector<certificate> certificates_in(const std::string& text) {
  std::vector<certificate> all;
  const auto from = memory_of(text);
  while (certificate one{PEM_read_bio_X509(from.get(), nullptr, nullptr, nullptr)})
    all.push_back(std::move(one));
  ERR_clear_error();
  return all;
}

std::string text_of(const ASN1_TIME* at) {
  const memory_bio out(BIO_new(BIO_s_mem()));
  ASN1_TIME_print(out.get(), at);
  std::array<char, 64> text{};
  const int size = BIO_read(out.get(), text.data(), static_cast<int>(text.size()));
  return {text.data(), static_cast<std::size_t>(std::max(size, 0))};
}

std::string numeric(const ASN1_OCTET_STRING& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const auto* bytes = ASN1_STRING_get0_data(&address);
  if (ASN1_STRING_length(&address) == 4 && inet_ntop(AF_INET, bytes, text.data(), text.size()))
    return text.data();
  if (ASN1_STRING_length(&address) == 16 && inet_ntop(AF_INET6, bytes, text.data(), text.size()))
    return "[" + std::string(text.data()) + "]";
  return {};
}

// Patterns such as *.example.org are for many hosts: which of them is this one is for http.tcp.hosts to say.
std::vector<std::string> names_of(X509& of) {
  std::vector<std::string> names;
  const remote::host_names all(static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&of, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; all && i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const GENERAL_NAME* one = sk_GENERAL_NAME_value(all.get(), i);
    std::string name;
    if (one->type == GEN_DNS)
      name.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(one->d.dNSName)),
                  static_cast<std::size_t>(ASN1_STRING_length(one->d.dNSName)));
    else if (one->type == GEN_IPADD)
      name = numeric(*one->d.iPAddress);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    if (!name.empty() && name.find_first_of(std::string_view("*\0", 2)) == std::string::npos)
      names.push_back(std::move(name));
  }
  return names;
}

result<void> check_validity(X509& own, const std::filesystem::path& file, instant now, std::vector<std::string>& warnings) {
  auto at = static_cast<time_t>(to_unix_ms(now) / 1000);
  if (X509_cmp_time(X509_get0_notBefore(&own), &at) > 0)
    return bad(certificate_key, file, "is not valid before " + text_of(X509_get0_notBefore(&own)));
  if (X509_cmp_time(X509_get0_notAfter(&own), &at) <= 0)
    return bad(certificate_key, file, "has expired on " + text_of(X509_get0_notAfter(&own)), "make a new one");
  at += limits::certificate_days_warned * 24 * 3600;
  if (X509_cmp_time(X509_get0_notAfter(&own), &at) <= 0)
    warnings.push_back("the certificate " + file.string() + " expires on " + text_of(X509_get0_notAfter(&own)));
  return {};
}

result<private_key> read_key(const std::filesystem::path& file, std::vector<std::string>& warnings) {
  const auto text = read_pem(key_key, file);
  if (!text)
    return fail(text.error());
  bool asks_for_passphrase = false;
  const auto refuse_passphrase = [](char*, int, int, void* asked) {
    *static_cast<bool*>(asked) = true;
    return -1;
  };
  private_key key(PEM_read_bio_PrivateKey(memory_of(*text).get(), nullptr, refuse_passphrase, &asks_for_passphrase));
  if (!key)
    return asks_for_passphrase ? bad(key_key, file, "has a passphrase", "`openssl pkey -in FILE -out PLAIN` takes it off")
                               : bad(key_key, file, "holds no private key in PEM");
  struct stat about {};
  if (::stat(file.c_str(), &about) == 0 && (about.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    warnings.push_back("the key " + file.string() + " can be read by others: `chmod 600` it");
  return key;
}

// HTTP/1.1 where the client names protocols at all.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered, unsigned bytes, void*) {
  static constexpr unsigned char known[] = "\x08http/1.1";
  unsigned char* found = nullptr;
  if (SSL_select_next_proto(&found, size, known, sizeof known - 1, offered, bytes) != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_NOACK;
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

} // namespace

std::string tls_identity::name_for_links(const std::string& listens_on) const {
  const auto is_named = [&](const std::string& name) { return std::find(names.begin(), names.end(), name) != names.end(); };
  if (names.empty() || is_named(listens_on))
    return listens_on;
  const bool is_here = listens_on.starts_with("127.") || listens_on == "[::1]" || listens_on == "0.0.0.0" || listens_on == "[::]";
  return is_here && is_named("localhost") ? "localhost" : names.front();
}

result<tls_identity> load_identity(const config::settings& settings, instant now) {
  const auto& tcp = settings.http.tcp;
  tls_identity identity;
  if (tcp.certificate.empty())
    return identity;
  const auto text = read_pem(certificate_key, tcp.certificate);
  if (!text)
    return fail(text.error());
  const auto chain = certificates_in(*text);
  if (chain.empty())
    return bad(certificate_key, tcp.certificate, "holds no certificate in PEM");
  if (auto valid = check_validity(*chain.front(), tcp.certificate, now, identity.warnings); !valid)
    return fail(valid.error());
  const auto key = read_key(tcp.key, identity.warnings);
  if (!key)
    return fail(key.error());
  if (X509_check_private_key(chain.front().get(), key->get()) != 1)
    return bad(key_key, tcp.key, "is not the key of " + tcp.certificate.string());
  identity.names = names_of(*chain.front());
  identity.context = std::make_shared<boost::asio::ssl::context>(boost::asio::ssl::context::tls_server);
  SSL_CTX* context = identity.context->native_handle();
  bool taken = SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
               SSL_CTX_use_certificate(context, chain.front().get()) == 1 && SSL_CTX_use_PrivateKey(context, key->get()) == 1;
  for (std::size_t i = 1; i < chain.size(); ++i)
    taken = taken && SSL_CTX_add1_chain_cert(context, chain[i].get()) == 1;
  if (!taken) {
    const char* why = ERR_reason_error_string(ERR_peek_last_error());
    return bad(certificate_key, tcp.certificate, std::string("cannot be used: ") + (why ? why : "OpenSSL does not say why"));
  }
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  return identity;
}

} // namespace ferry::http
