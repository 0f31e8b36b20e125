// `ferry certs`, for real: the verb, the program that it starts, and what the program `openssl` thinks of what they make.
#include "ferry_process.hpp"
#include "remote/certificates.hpp"
#include "tests/support/file_text.hpp"
#include "tests/support/scratch_folder.hpp"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>

using namespace ferry::cli::test;
using ferry::tests::files_below;
using ferry::tests::scratch_folder;
using nlohmann::json;

namespace fs = std::filesystem;

namespace {

// A home whose certificates are in .config/ferry/certs.
class user {
public:
  ran operator()(std::vector<std::string> words, int columns = 0) const {
    words.insert(words.begin(), "certs");
    return run_ferry(words, {.environment = {{"HOME", home().string()}}, .directory = home(), .columns = columns});
  }
  [[nodiscard]] const fs::path& home() const { return scratch_.path(); }
  [[nodiscard]] fs::path folder() const { return home() / ".config/ferry/certs"; }

private:
  scratch_folder scratch_;
};

// What was said, with a date as DATE and the folder as DIR.
std::string steady(const user& u, std::string text) {
  for (auto at = text.find(u.folder().string()); at != std::string::npos; at = text.find(u.folder().string(), at))
    text.replace(at, u.folder().string().size(), "DIR");
  return std::regex_replace(text, std::regex("[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}"), "DATE");
}

} // namespace

TEST_CASE("certs: an authority, a node, and what goes where") {
  const user certs;
  const auto made = certs({"init", "--name", "lab"});
  CHECK(made.err.empty());
  CHECK(made.status == 0);
  CHECK(steady(certs, made.out) == "made the certificate authority lab, valid until DATE\n"
                                   "  DIR/ca.pem   goes to every node\n"
                                   "  DIR/ca.key   stays here: whoever has it can make nodes\n"
                                   "next, for the head and for each node: ferry certs issue NAME --host HOST\n");
  const auto issued = certs({"issue", "worker1", "--host", "worker1.lab", "--host=10.0.0.2", "--days", "90"});
  CHECK(issued.err.empty());
  CHECK(issued.status == 0);
  CHECK(steady(certs, issued.out) ==
        "issued worker1 for worker1.lab, 10.0.0.2, valid until DATE\n"
        "copy these to the node, the key over a safe way and readable by the account of its daemon alone (chmod 600):\n"
        "  DIR/worker1.pem\n  DIR/worker1.key\n  DIR/ca.pem\n"
        "and write into its configuration, with the paths that they have there:\n\n"
        "[node]\ncertificate = \"DIR/worker1.pem\"\nkey = \"DIR/worker1.key\"\nca = \"DIR/ca.pem\"\n");
  CHECK(certs({"issue", "head"}).status == 0);
  const auto shown = certs({"show"});
  CHECK(shown.status == 0);
  CHECK(steady(certs, shown.out) == "NAME     VALID UNTIL          DAYS LEFT  HOSTS                  ISSUER\n"
                                    "lab      DATE       3649                         lab\n"
                                    "head     DATE        364  head                   lab\n"
                                    "worker1  DATE         89  worker1.lab, 10.0.0.2  lab\n");
}

TEST_CASE("certs: the program openssl agrees with what was made") {
  if (run_program({"sh", "-c", "command -v openssl"}, {}).status != 0)
    SKIP("there is no program openssl");
  const user certs;
  REQUIRE(certs({"init"}).status == 0);
  REQUIRE(certs({"issue", "worker1", "--host", "worker1.lab", "--host", "2001:db8::7"}).status == 0);
  const auto openssl = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "openssl");
    return run_program(words, {.directory = certs.folder()});
  };
  for (const std::string purpose : {"sslserver", "sslclient"})
    CHECK(openssl({"verify", "-x509_strict", "-purpose", purpose, "-CAfile", "ca.pem", "worker1.pem"}).out == "worker1.pem: OK\n");
  CHECK(openssl({"verify", "-CAfile", "ca.pem", "-verify_hostname", "worker1.lab", "worker1.pem"}).status == 0);
  CHECK(openssl({"verify", "-CAfile", "ca.pem", "-verify_ip", "2001:db8::7", "worker1.pem"}).status == 0);
  CHECK(openssl({"verify", "-CAfile", "ca.pem", "-verify_hostname", "worker2.lab", "worker1.pem"}).status != 0);
  CHECK(openssl({"verify", "-CAfile", "worker1.pem", "worker1.pem"}).status != 0);
  const auto text = openssl({"x509", "-in", "ca.pem", "-noout", "-text"}).out;
  for (const char* words : {"CA:TRUE, pathlen:0", "Certificate Sign", "prime256v1", "ecdsa-with-SHA256", "Subject Key Identifier"})
    CHECK(text.find(words) != std::string::npos);
  const auto serial = openssl({"x509", "-in", "worker1.pem", "-noout", "-serial"}).out;
  auto ours = json::parse(certs({"show", "--format", "json", (certs.folder() / "worker1.pem").string()}).out)["certificates"][0];
  CHECK(std::regex_match(serial, std::regex("serial=" + ours["serial"].get<std::string>() + "\n", std::regex::icase)));
}

TEST_CASE("certs: as JSON") {
  const user certs;
  const auto made = json::parse(certs({"init", "--dir", "here", "--format", "json"}).out);
  CHECK(made["file"] == (certs.home() / "here/ca.pem").string());
  CHECK(made["key"] == (certs.home() / "here/ca.key").string());
  CHECK(made["name"] == "ferry-ca");
  const auto issued = json::parse(certs({"--format=json", "issue", "worker1", "--dir=here"}).out);
  CHECK(issued["ca"] == made["file"]);
  CHECK(issued["hosts"] == json{"worker1"});
  CHECK(issued["days_left"] == 364);
  const auto shown = json::parse(certs({"show", "--dir", "here", "--format", "json"}).out);
  REQUIRE(shown["certificates"].size() == 2);
  CHECK(shown["certificates"][0]["authority"] == true);
  CHECK(shown["certificates"][1]["expired"] == false);
  CHECK(shown["certificates"][1]["issuer"] == "ferry-ca");
  CHECK(shown["certificates"][1]["valid_until"] == issued["valid_until"]);
  const auto again = json::parse(certs({"init", "--dir", "here", "--format", "json"}).err);
  CHECK(again["error"]["code"] == "conflict");
}

TEST_CASE("certs: nothing is overwritten; renewing says what to copy") {
  const user certs;
  REQUIRE(certs({"init"}).status == 0);
  REQUIRE(certs({"issue", "worker1"}).status == 0);
  const auto second = certs({"init"});
  CHECK(second.status == 6);
  CHECK(steady(certs, second.err) == "ferry: DIR/ca.pem is there already: an authority is made once and not overwritten "
                                     "(`ferry certs show` shows it; --dir names another folder)\n");
  const auto taken = certs({"issue", "worker1"});
  CHECK(taken.status == 6);
  CHECK(taken.err.find("`ferry certs issue worker1 --renew` replaces it and keeps its key") != std::string::npos);
  const auto key = ferry::tests::text_of(certs.folder() / "worker1.key");
  const auto renewed = certs({"issue", "worker1", "--renew", "--days", "30"});
  CHECK(renewed.status == 0);
  CHECK(steady(certs, renewed.out) == "renewed worker1 for worker1, valid until DATE\n"
                                      "copy it to the node, where its key and ca.pem stay as they are, and restart its daemon:\n"
                                      "  DIR/worker1.pem\n");
  CHECK(ferry::tests::text_of(certs.folder() / "worker1.key") == key);
  CHECK(files_below(certs.folder()) == 4);
}

TEST_CASE("certs: one that has expired is shown as such, and in the exit status") {
  const user certs;
  // `ferry certs` makes none that has already expired.
  const auto long_ago = ferry::wall_clock_now() - std::chrono::days(400);
  REQUIRE(ferry::remote::make_authority(certs.folder(), "lab", std::chrono::days(365), long_ago));
  const auto expired = certs.folder() / "ca.pem";
  const auto shown = certs({"show", expired.string()});
  CHECK(shown.status == 1);
  CHECK(shown.out.find("expired") != std::string::npos);
  CHECK(json::parse(certs({"show", "--format", "json", expired.string()}).out)["certificates"][0]["expired"] == true);

  const auto refused = certs({"issue", "worker1"});
  CHECK(refused.status == 2);
  CHECK(refused.err.find("ca.pem has expired on ") != std::string::npos);

  const auto both = certs({"show", "nothing.pem", expired.string()});
  CHECK(both.status == 5);
  CHECK(both.err == "ferry: cannot read nothing.pem: No such file or directory\n");
  CHECK(both.out == shown.out);
}

TEST_CASE("certs: what does not go together is refused before anything is made") {
  const user certs;
  const auto refusal = [&](const std::vector<std::string>& words) {
    const auto r = certs(words);
    CHECK(r.status == 2);
    CHECK(r.out.empty());
    return r.err;
  };
  CHECK(refusal({}) == "ferry: ACTION is missing: init, issue or show (`ferry help certs` says what it takes)\n");
  CHECK(refusal({"revoke"}) == "ferry: ACTION must be init, issue or show, is 'revoke'\n");
  CHECK(refusal({"init", "lab"}) == "ferry: \"lab\" is one word too many (init takes the authority's name as --name NAME)\n");
  CHECK(refusal({"issue"}) == "ferry: NAME is missing: which node\n");
  CHECK(refusal({"issue", "a", "b"}) == "ferry: one certificate at a time: \"b\" is one word too many\n");
  CHECK(refusal({"issue", "a", "--name", "b"}) == "ferry: --name goes with init alone\n");
  CHECK(refusal({"show", "--host", "a"}) == "ferry: --host goes with issue alone\n");
  CHECK(refusal({"init", "--renew"}) == "ferry: --renew goes with issue alone\n");
  CHECK(refusal({"show", "--days", "1"}) == "ferry: --days goes with init and issue\n");
  CHECK(refusal({"init", "--dir", ""}) == "ferry: --dir is empty\n");
  CHECK(refusal({"init", "--days", "0"}).starts_with("ferry: --days must be a whole number from 1 to 36500, is \"0\""));
  CHECK(refusal({"issue", "a/b"}).starts_with("ferry: \"a/b\" cannot be the name of a certificate"));
  CHECK(refusal({"init", "--dri", "x"}).find("did you mean --dir?") != std::string::npos);
  CHECK_FALSE(fs::exists(certs.home() / ".config"));
  const auto nothing = certs({"show"});
  CHECK(nothing.status == 5);
  CHECK(steady(certs, nothing.err) == "ferry: there are no certificates in DIR (`ferry certs init` makes an authority)\n");
  CHECK(certs({"issue", "worker1"}).status == 5);
}

TEST_CASE("certs: help comes from ferry, and a ferry without its ferry-certs says so") {
  const user certs;
  const auto help = certs({"--help"});
  CHECK(help.status == 0);
  CHECK(help.out.find("Usage: ferry certs [OPTIONS] ACTION [NAME|FILE…]") != std::string::npos);
  CHECK(help.out.find("--renew") != std::string::npos);
  const auto direct = run_program({(fs::path(FERRY_PROGRAM).parent_path() / "ferry-certs").string(), "--help"}, {});
  CHECK(direct.out == help.out);

  const auto alone = certs.home() / "ferry";
  fs::copy_file(FERRY_PROGRAM, alone);
  const auto r = run_program({alone.string(), "certs", "show"}, {});
  CHECK(r.status == 7);
  CHECK(r.err == "ferry: cannot start " + (certs.home() / "ferry-certs").string() +
                     ": No such file or directory (ferry-certs is installed beside ferry)\n");
}
