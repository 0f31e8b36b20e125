#include "remote/certificate_reading.hpp"

#include "remote/certificate_files.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cstdio>
#include <ctime>
#include <openssl/crypto.h>
#include <openssl/pem.h>

namespace ferry::remote {
namespace {

namespace fs = std::filesystem;

memory_bio bio_of(const std::string& text) { return memory_bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

// Instead of asking at the terminal.
int refuse_passphrase(char*, int, int, void*) { return -1; }

std::string common_name(const X509_NAME* name) {
  const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (at < 0)
    return {};
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
  if (size < 0)
    return {};
  const std::string text(utf8, utf8 + size);
  OPENSSL_free(utf8);
  return text;
}

std::string serial_of(const X509* one) {
  const big_number number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(one), nullptr));
  char* digits = number ? BN_bn2hex(number.get()) : nullptr;
  if (digits == nullptr)
    return {};
  std::string text = digits;
  OPENSSL_free(digits);
  std::ranges::transform(text, text.begin(), [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

std::optional<instant> instant_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1)
    return std::nullopt;
  return from_unix_ms(static_cast<std::int64_t>(::timegm(&parts)) * 1000);
}

std::string text_of(const ASN1_STRING* text) {
  const unsigned char* begin = ASN1_STRING_get0_data(text);
  return {begin, begin + ASN1_STRING_length(text)};
}

std::string address_of(const ASN1_OCTET_STRING* bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = ASN1_STRING_length(bytes) == 4 ? AF_INET : ASN1_STRING_length(bytes) == 16 ? AF_INET6 : AF_UNSPEC;
  if (family == AF_UNSPEC || ::inet_ntop(family, ASN1_STRING_get0_data(bytes), text.data(), text.size()) == nullptr)
    return {};
  return text.data();
}

std::vector<std::string> hosts_of(const X509* one) {
  std::vector<std::string> hosts;
  const host_names names(static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(one, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    std::string host;
    if (name->type == GEN_DNS)
      host = text_of(name->d.dNSName);
    else if (name->type == GEN_IPADD)
      host = address_of(name->d.iPAddress);
    if (!host.empty())
      hosts.push_back(std::move(host));
  }
  return hosts;
}

} // namespace

std::string words_of(instant t) {
  std::string text = to_rfc3339(t).substr(0, 19);
  text[10] = ' ';
  return text + " UTC";
}

result<std::vector<certificate>> read_certificates(const fs::path& file) {
  const auto content = read_small_file(file);
  if (!content)
    return fail(content.error());
  const memory_bio source = bio_of(content->text);
  std::vector<certificate> found;
  ERR_clear_error();
  while (certificate one{PEM_read_bio_X509(source.get(), nullptr, refuse_passphrase, nullptr)})
    found.push_back(std::move(one));
  // How a file ends that has no further PEM block; anything else is one that is broken.
  const bool is_at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string why = openssl_reason();
  if (!is_at_end)
    return fail(error_code::damaged, file.string() + " holds a certificate that is cut off or damaged: " + why);
  if (found.empty())
    return fail(error_code::damaged, file.string() + " holds no certificate in PEM form");
  return found;
}

result<private_key> read_private_key(const fs::path& file) {
  auto content = read_small_file(file);
  if (!content)
    return fail(content.error());
  ERR_clear_error();
  const bool is_encrypted = content->text.find("ENCRYPTED") != std::string::npos;
  const memory_bio source = bio_of(content->text);
  private_key key(PEM_read_bio_PrivateKey(source.get(), nullptr, refuse_passphrase, nullptr));
  ERR_clear_error();
  OPENSSL_cleanse(content->text.data(), content->text.size());
  if ((content->mode & 077) != 0) {
    std::array<char, 16> mode{};
    std::snprintf(mode.data(), mode.size(), "%04o", static_cast<unsigned>(content->mode));
    return fail(error_code::forbidden, file.string() + " may be used by others than its owner (mode " + mode.data() + ")",
                "chmod 600 " + file.string() + "; if others have read it, make another");
  }
  if (key)
    return key;
  if (is_encrypted)
    return fail(error_code::invalid_argument, file.string() + " is a key under a passphrase, which nobody is there to type",
                "store it without one: openssl pkey -in " + file.string() + " -out OTHER.key");
  return fail(error_code::damaged, file.string() + " holds no private key in PEM form, or it is cut off");
}

result<certificate_facts> facts_of(const X509* one, const fs::path& file) {
  const auto from = instant_of(X509_get0_notBefore(one)), until = instant_of(X509_get0_notAfter(one));
  if (!from || !until)
    return fail(error_code::damaged, file.string() + " holds a certificate whose time of validity cannot be read");
  return certificate_facts{.subject = common_name(X509_get_subject_name(one)),
                           .issuer = common_name(X509_get_issuer_name(one)),
                           .serial = serial_of(one),
                           .not_before = *from,
                           .not_after = *until,
                           .hosts = hosts_of(one),
                           .is_authority = X509_check_ca(const_cast<X509*>(one)) == 1};
}

result<certificate_facts> read_certificate(const fs::path& file) {
  const auto all = read_certificates(file);
  if (!all)
    return fail(all.error());
  return facts_of(all->front().get(), file);
}

} // namespace ferry::remote
