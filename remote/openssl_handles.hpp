// Owners of what OpenSSL's C functions give, and its reasons as text. Included by .cpp files alone.
#pragma once

#include <memory>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string>

namespace ferry::remote {

template <auto Free>
struct freed_by {
  template <class T>
  void operator()(T* owned) const {
    Free(owned);
  }
};

using asn1_time = std::unique_ptr<ASN1_TIME, freed_by<ASN1_TIME_free>>;
using big_number = std::unique_ptr<BIGNUM, freed_by<BN_free>>;
using memory_bio = std::unique_ptr<BIO, freed_by<BIO_free_all>>;
using private_key = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;
using certificate = std::unique_ptr<X509, freed_by<X509_free>>;
// Of certificates that others own.
struct freed_list {
  void operator()(STACK_OF(X509) * list) const { sk_X509_free(list); }
};
using certificate_list = std::unique_ptr<STACK_OF(X509), freed_list>;
using extension = std::unique_ptr<X509_EXTENSION, freed_by<X509_EXTENSION_free>>;
using host_names = std::unique_ptr<GENERAL_NAMES, freed_by<GENERAL_NAMES_free>>;
using trust_store = std::unique_ptr<X509_STORE, freed_by<X509_STORE_free>>;
using verification = std::unique_ptr<X509_STORE_CTX, freed_by<X509_STORE_CTX_free>>;

// The oldest reason on OpenSSL's list of this thread, which is emptied.
inline std::string openssl_reason() {
  const char* reason = ERR_reason_error_string(ERR_get_error());
  ERR_clear_error();
  return reason == nullptr ? "no reason given" : reason;
}

} // namespace ferry::remote
