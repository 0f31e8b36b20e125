#include "remote/certificates.hpp"
#include "tests/support/file_text.hpp"
#include "tests/support/scratch_folder.hpp"

#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <openssl/pem.h>

using namespace ferry;
using namespace ferry::remote;
using ferry::tests::scratch_folder;
using ferry::tests::text_of;
using std::chrono::days;

namespace fs = std::filesystem;

namespace {

const instant now = wall_clock_now();

// An authority and a node of it, worker1.
class lab {
public:
  lab() {
    REQUIRE(make_authority(path(), "lab", days(1000), now));
    const auto issued = issue_certificate(path(), "worker1", {"worker1.lab"}, days(100), now);
    REQUIRE(issued);
    files = {issued->certificate, issued->key, issued->authority};
  }
  [[nodiscard]] fs::path path() const { return scratch_.path() / "certs"; }
  [[nodiscard]] std::string refusal(instant at = now) const {
    const auto checked = check_identity(files, at);
    return checked ? "good" : to_string(checked.error());
  }

  identity_files files;

private:
  scratch_folder scratch_;
};

void write(const fs::path& file, const std::string& text) { std::ofstream(file, std::ios::binary | std::ios::trunc) << text; }

} // namespace

TEST_CASE("an identity that is good says whose it is and by whom, and warns of nothing") {
  const lab l;
  const auto checked = check_identity(l.files, now);
  REQUIRE(checked);
  CHECK(checked->certificate.subject == "worker1");
  CHECK(checked->certificate.hosts == std::vector<std::string>{"worker1.lab"});
  CHECK(checked->authority.subject == "lab");
  CHECK(checked->authority.is_authority);
  CHECK(checked->warnings.empty());
  CHECK(read_certificate(l.files.certificate)->serial == checked->certificate.serial);
}

TEST_CASE("expiry is warned of for thirty days, then refused") {
  const lab l;
  CHECK(check_identity(l.files, now + days(69))->warnings.empty());
  const auto soon = check_identity(l.files, now + days(71));
  REQUIRE(soon);
  REQUIRE(soon->warnings.size() == 1);
  CHECK(soon->warnings.front().starts_with(l.files.certificate.string() + " expires on "));
  CHECK(soon->warnings.front().find("in 28 days: `ferry certs issue worker1 --renew`") != std::string::npos);

  const auto over = l.refusal(now + days(101));
  CHECK(over.starts_with(l.files.certificate.string() + ": has expired on "));
  CHECK(over.find("`ferry certs issue worker1 --renew`") != std::string::npos);
  const auto early = l.refusal(now - days(1));
  CHECK(early.find(l.files.certificate.string() + ": is valid from ") != std::string::npos);
  CHECK(early.find("set the clock") != std::string::npos);
  CHECK(l.refusal(now - std::chrono::minutes(50)) == "good"); // clocks may differ a little

  const auto both = l.refusal(now + days(1001));
  CHECK(both.find(l.files.certificate.string() + ": has expired") != std::string::npos);
  CHECK(both.find(l.files.authority.string() + ": has expired") != std::string::npos);
}

TEST_CASE("a certificate that another authority signed is refused, even one of the same name") {
  lab l;
  const lab other;
  l.files.authority = other.files.authority;
  const auto why = l.refusal();
  CHECK(why.starts_with(l.files.certificate.string() + ": is not signed by the authority in " + other.files.authority.string()));
  CHECK(why.find("ferry certs issue worker1") != std::string::npos);

  // While one authority gives way to the next, both may stand in the file.
  const auto both = l.path() / "both.pem";
  write(both, text_of(other.files.authority) + text_of(l.path() / "ca.pem"));
  l.files.authority = both;
  CHECK(l.refusal() == "good");
}

TEST_CASE("the key of another certificate is refused") {
  lab l;
  const lab other;
  l.files.key = other.files.key;
  CHECK(l.refusal().starts_with(other.files.key.string() + ": is not the key of " + l.files.certificate.string()));
}

TEST_CASE("a key that others may read or write is refused") {
  const lab l;
  for (const auto right : {fs::perms::group_read, fs::perms::others_read, fs::perms::others_write}) {
    fs::permissions(l.files.key, right, fs::perm_options::add);
    CHECK(l.refusal().starts_with(l.files.key.string() + " may be used by others than its owner (mode 06"));
    CHECK(l.refusal().find("chmod 600 " + l.files.key.string()) != std::string::npos);
    fs::permissions(l.files.key, right, fs::perm_options::remove);
  }
  CHECK(l.refusal() == "good");
}

TEST_CASE("files that are cut off anywhere are refused with their name") {
  const lab l;
  for (const fs::path& file : {l.files.certificate, l.files.key, l.files.authority}) {
    const auto whole = text_of(file);
    // But for the newline at the end, which nobody needs.
    for (std::size_t bytes = 0; bytes + 1 < whole.size(); bytes += 7) {
      write(file, whole.substr(0, bytes));
      INFO(bytes << " of " << whole.size());
      const auto why = l.refusal();
      CHECK(why.find(file.string()) != std::string::npos);
      const bool says_why = why.find("PEM") != std::string::npos || why.find("cut off") != std::string::npos;
      CHECK(says_why);
    }
    write(file, whole);
  }
  CHECK(l.refusal() == "good");
}

TEST_CASE("files that are not there, not PEM or of another kind are refused, all at once") {
  const lab l;
  const auto certificate = text_of(l.files.certificate), key = text_of(l.files.key);
  write(l.files.certificate, key);
  CHECK(l.refusal().find("worker1.pem holds no certificate in PEM form") != std::string::npos);
  write(l.files.certificate, certificate);
  write(l.files.key, certificate);
  CHECK(l.refusal().find("worker1.key holds no private key in PEM form") != std::string::npos);

  fs::remove(l.files.certificate);
  fs::remove(l.files.key);
  fs::remove(l.files.authority);
  const auto nothing = check_identity(l.files, now);
  REQUIRE_FALSE(nothing);
  CHECK(nothing.error().code == error_code::not_found);
  CHECK(nothing.error().problems.size() == 3);
  for (const fs::path& file : {l.files.certificate, l.files.key, l.files.authority})
    CHECK(to_string(nothing.error()).find("cannot read " + file.string()) != std::string::npos);
}

TEST_CASE("a key under a passphrase is refused, and nobody is asked for it") {
  const lab l;
  std::FILE* file = std::fopen(l.files.key.c_str(), "r");
  EVP_PKEY* key = PEM_read_PrivateKey(file, nullptr, nullptr, nullptr);
  std::fclose(file);
  REQUIRE(key != nullptr);
  file = std::fopen(l.files.key.c_str(), "w");
  PEM_write_PKCS8PrivateKey(file, key, EVP_aes_256_cbc(), "secret", 6, nullptr, nullptr);
  std::fclose(file);
  EVP_PKEY_free(key);
  CHECK(l.refusal().find("worker1.key is a key under a passphrase") != std::string::npos);
}

TEST_CASE("the authority's own certificate is no node's") {
  lab l;
  l.files = {l.path() / "ca.pem", l.path() / "ca.key", l.path() / "ca.pem"};
  CHECK(l.refusal().find("is not meant for both ends of TLS") != std::string::npos);

  // Nor is a node an authority.
  const lab other;
  l.files = other.files;
  l.files.authority = other.files.certificate;
  CHECK(l.refusal().find("is not signed by the authority in") != std::string::npos);
}
