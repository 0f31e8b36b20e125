#include "remote/certificates.hpp"

#include "config/limits.hpp"
#include "tests/remote/tls_pair.hpp"
#include "tests/support/file_text.hpp"
#include "tests/support/scratch_folder.hpp"

#include <catch2/catch_test_macros.hpp>
#include <csignal>
#include <fstream>
#include <set>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace ferry;
using namespace ferry::remote;
using namespace ferry::remote::testing;
using ferry::tests::scratch_folder;
using ferry::tests::text_of;
using std::chrono::days;

namespace fs = std::filesystem;

namespace {

const instant now = wall_clock_now();

unsigned mode_of(const fs::path& file) { return static_cast<unsigned>(fs::status(file).permissions()) & 0777U; }

identity_files files_of(const issued_certificate& issued) { return {issued.certificate, issued.key, issued.authority}; }

bool says(const error& e, const std::string& words) { return to_string(e).find(words) != std::string::npos; }

// Makes an authority in another process, which ends when it writes more than so many bytes into one file; the signal that ended it.
int killed_while_making_authority(const fs::path& folder, rlim_t file_bytes_max) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    const rlimit size{file_bytes_max, file_bytes_max}, no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    ::setrlimit(RLIMIT_FSIZE, &size);
    ::signal(SIGXFSZ, SIG_DFL);
    (void)make_authority(folder, "lab", days(10), now);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

} // namespace

TEST_CASE("an authority is made once, for its owner alone") {
  const scratch_folder scratch;
  const auto folder = scratch.path() / "certs";
  const auto made = make_authority(folder, "lab", days(3650), now);
  REQUIRE(made);
  CHECK(made->subject == "lab");
  CHECK(made->issuer == "lab");
  CHECK(made->is_authority);
  CHECK(made->hosts.empty());
  CHECK(made->serial.size() >= 30);     // 128 bits; leading zeros are not written
  CHECK(days_left(*made, now) == 3649); // 3650 less the part of a second that X.509 does not know
  CHECK(made->not_before <= now - std::chrono::hours(1));
  CHECK(mode_of(folder) == 0700);
  CHECK(mode_of(folder / "ca.key") == 0600);
  CHECK(tests::files_below(folder) == 2);

  const auto before = text_of(folder / "ca.pem"), key_before = text_of(folder / "ca.key");
  const auto again = make_authority(folder, "lab", days(3650), now);
  REQUIRE_FALSE(again);
  CHECK(again.error().code == error_code::conflict);
  CHECK(says(again.error(), (folder / "ca.pem").string() + " is there already"));
  CHECK(text_of(folder / "ca.pem") == before);
  CHECK(text_of(folder / "ca.key") == key_before);
}

TEST_CASE("an authority whose making was cut off by a crash is told of, and made anew once its rest is removed") {
  const scratch_folder scratch;
  const auto folder = scratch.path() / "certs";
  SECTION("while its key was being written: nothing has its name yet") {
    REQUIRE(killed_while_making_authority(folder, 50) == SIGXFSZ);
    CHECK_FALSE(fs::exists(folder / "ca.key"));
  }
  SECTION("while its certificate was being written: the key is there") {
    REQUIRE(killed_while_making_authority(folder, 350) == SIGXFSZ);
    CHECK_FALSE(fs::exists(folder / "ca.pem"));
    const auto second = make_authority(folder, "lab", days(10), now);
    REQUIRE_FALSE(second);
    CHECK(second.error().code == error_code::conflict);
    CHECK(says(second.error(), "that was interrupted"));
    CHECK(says(second.error(), "remove " + (folder / "ca.key").string() + " and run `ferry certs init` again"));
    const auto issued = issue_certificate(folder, "worker1", {}, days(1), now);
    REQUIRE_FALSE(issued);
    CHECK(says(issued.error(), "ca.key is there without ca.pem"));
    REQUIRE(fs::remove(folder / "ca.key"));
  }
  CHECK(make_authority(folder, "lab", days(10), now));
  CHECK(issue_certificate(folder, "worker1", {}, days(1), now));
}

TEST_CASE("a write that fails leaves nothing under the names") {
  const scratch_folder scratch;
  const auto folder = scratch.path() / "certs";
  for (const rlim_t bytes : {50, 350}) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      const rlimit size{bytes, bytes};
      ::setrlimit(RLIMIT_FSIZE, &size);
      ::signal(SIGXFSZ, SIG_IGN);
      const auto made = make_authority(folder, "lab", days(10), now);
      ::_exit(!made && made.error().code == error_code::io && says(made.error(), folder.string()) ? 7 : 0);
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    CHECK(WEXITSTATUS(status) == 7);
    CHECK(tests::files_below(folder) == 0);
  }
}

TEST_CASE("two nodes of one authority trust each other, in both directions") {
  const scratch_folder scratch;
  REQUIRE(make_authority(scratch.path() / "certs", "lab", days(10), now));
  const auto head = issue_certificate(scratch.path() / "certs", "head", {"head.example", "127.0.0.1", "::1"}, days(5), now);
  const auto worker = issue_certificate(scratch.path() / "certs", "worker_1", {}, days(5), now);
  REQUIRE(head);
  REQUIRE(worker);
  CHECK(head->facts.hosts == std::vector<std::string>{"head.example", "127.0.0.1", "::1"});
  CHECK(head->facts.issuer == "lab");
  CHECK_FALSE(head->facts.is_authority);
  CHECK(worker->facts.hosts == std::vector<std::string>{"worker_1"});
  CHECK(head->facts.serial != worker->facts.serial);
  CHECK(mode_of(worker->key) == 0600);
  for (const auto& [server, client] : {std::pair{*head, *worker}, std::pair{*worker, *head}}) {
    const auto met = shake_hands(files_of(server), files_of(client));
    INFO(met.server.reason << "; " << met.client.reason);
    REQUIRE(met.succeeded());
    CHECK(met.server.peer == client.facts.subject);
    CHECK(met.client.peer == server.facts.subject);
    CHECK(met.server.heard == "from the client");
    CHECK(met.client.heard == "from the server");
  }
}

TEST_CASE("nobody trusts a node of another authority of the same name, an expired one, or the authority itself") {
  const scratch_folder scratch;
  const auto ours = scratch.path() / "ours", theirs = scratch.path() / "theirs";
  REQUIRE(make_authority(ours, "lab", days(10), now));
  REQUIRE(make_authority(theirs, "lab", days(10), now));
  const auto head = issue_certificate(ours, "head", {}, days(5), now),
             stranger = issue_certificate(theirs, "head", {}, days(5), now);
  const auto expired = issue_certificate(ours, "old", {}, days(5), now - days(6));
  REQUIRE(head);
  REQUIRE(stranger);
  REQUIRE(expired);
  // The stranger knows our authority's certificate, which is no secret.
  const identity_files outside{stranger->certificate, stranger->key, head->authority};
  const identity_files authority{ours / "ca.pem", ours / "ca.key", ours / "ca.pem"};
  for (const auto& other : {outside, files_of(*expired), authority}) {
    CHECK_FALSE(shake_hands(files_of(*head), other).server.is_done);
    CHECK_FALSE(shake_hands(other, files_of(*head)).client.is_done);
    CHECK(shake_hands(files_of(*head), other).server.reason == "certificate verify failed");
  }
}

TEST_CASE("a name is issued once; renewing keeps its key and hosts, and needs no key") {
  const scratch_folder scratch;
  const auto folder = scratch.path() / "certs";
  REQUIRE(make_authority(folder, "lab", days(1000), now));
  const auto first = issue_certificate(folder, "worker1", {"10.0.0.2"}, days(5), now);
  REQUIRE(first);
  const auto second = issue_certificate(folder, "worker1", {"10.0.0.3"}, days(5), now);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == error_code::conflict);
  CHECK(second.error().hint.find("--renew") != std::string::npos);

  const auto key = text_of(first->key);
  const auto carried = scratch.path() / "carried.key"; // to the node
  fs::rename(first->key, carried);
  const auto renewed = renew_certificate(folder, "worker1", {}, days(400), now);
  REQUIRE(renewed);
  CHECK(renewed->facts.hosts == first->facts.hosts);
  CHECK(renewed->facts.serial != first->facts.serial);
  CHECK(renewed->facts.not_after == first->facts.not_after + days(395));
  CHECK(check_identity({renewed->certificate, carried, renewed->authority}, now));
  CHECK(renew_certificate(folder, "worker1", {"worker1.lab"}, days(5), now)->facts.hosts ==
        std::vector<std::string>{"worker1.lab"});

  const auto unknown = renew_certificate(folder, "worker2", {}, days(5), now);
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().code == error_code::not_found);

  // A key alone is what a crash leaves.
  fs::remove(first->certificate);
  std::ofstream(first->key) << key;
  const auto rest = issue_certificate(folder, "worker1", {}, days(5), now);
  REQUIRE_FALSE(rest);
  CHECK(rest.error().code == error_code::conflict);
  CHECK(says(rest.error(), "remove " + first->key.string()));
}

TEST_CASE("names, hosts and days that cannot be are refused, and nothing is written") {
  const scratch_folder scratch;
  const auto folder = scratch.path() / "certs";
  REQUIRE(make_authority(folder, "lab", days(100), now));
  const auto refusal = [&](const std::string& name, std::vector<std::string> hosts, int valid_days) {
    const auto issued = issue_certificate(folder, name, std::move(hosts), days(valid_days), now);
    return issued ? "issued" : std::string(to_string(issued.error().code));
  };
  for (const std::string name : {"", ".hidden", "-option", "a/b", "../up", "a b", "ä", "a\nb", "ca"})
    CHECK(refusal(name, {}, 1) == "invalid_argument");
  CHECK(refusal(std::string(65, 'a'), {"host"}, 1) == "invalid_argument");
  for (const std::string host : {"", "10.0.0.300", "host:7879", "a,IP:1.2.3.4", "-a", "a..b", "*.lab", "a b", "1.2", "::1::"})
    CHECK(refusal("worker1", {"good.example", host}, 1) == "invalid_argument");
  CHECK(refusal("worker1", {std::string(64, 'a') + ".example"}, 1) == "invalid_argument");
  CHECK(refusal("worker1", std::vector<std::string>(limits::certificate_hosts_max + 1, "host"), 1) == "too_large");
  CHECK(refusal("7", {}, 1) == "invalid_argument"); // no host is called so
  CHECK(refusal("worker1", {}, 0) == "invalid_argument");
  CHECK(refusal("worker1", {}, limits::certificate_days_max + 1) == "invalid_argument");
  CHECK(refusal("worker1", {}, 101) == "invalid_argument"); // outlives the authority
  CHECK(tests::files_below(folder) == 2);
  CHECK(refusal("7", {"seven"}, 1) == "issued");
  CHECK(refusal(std::string(64, 'a'), {"host"}, 1) == "issued");
  CHECK(refusal("many", std::vector<std::string>(limits::certificate_hosts_max, "host"), 1) == "issued");
  CHECK(make_authority(scratch.path() / "other", "a/b", days(1), now).error().code == error_code::invalid_argument);
  CHECK_FALSE(fs::exists(scratch.path() / "other"));
}

TEST_CASE("an authority that is not there, has expired or has another's key issues nothing") {
  const scratch_folder scratch;
  const auto folder = scratch.path() / "certs", other = scratch.path() / "other";
  const auto refused = [&] {
    const auto issued = issue_certificate(folder, "worker1", {}, days(1), now);
    REQUIRE_FALSE(issued);
    CHECK_FALSE(fs::exists(folder / "worker1.key"));
    return to_string(issued.error());
  };
  CHECK(refused() == "there is no certificate authority in " + folder.string() + " (`ferry certs init` makes one)");
  REQUIRE(make_authority(folder, "lab", days(1), now - days(2)));
  CHECK(refused().find("ca.pem has expired on ") != std::string::npos);
  REQUIRE(make_authority(other, "lab", days(10), now));
  fs::copy_file(other / "ca.pem", folder / "ca.pem", fs::copy_options::overwrite_existing);
  CHECK(refused().find("ca.key is not the key of ") != std::string::npos);
  fs::copy_file(other / "ca.key", folder / "ca.key", fs::copy_options::overwrite_existing);
  fs::permissions(folder / "ca.key", fs::perms::group_read, fs::perm_options::add);
  CHECK(refused().find("may be used by others than its owner (mode 0640)") != std::string::npos);
  fs::remove(folder / "ca.key");
  CHECK(refused().find("certificates are issued where `ferry certs init` was run") != std::string::npos);
}

TEST_CASE("serial numbers are of 128 bits and differ") {
  const scratch_folder scratch;
  REQUIRE(make_authority(scratch.path() / "certs", "lab", days(10), now));
  std::set<std::string> seen;
  for (int i = 0; i < 50; ++i) {
    const auto issued = issue_certificate(scratch.path() / "certs", "n" + std::to_string(i), {}, days(1), now);
    REQUIRE(issued);
    CHECK(issued->facts.serial.size() <= 32);
    seen.insert(issued->facts.serial);
  }
  CHECK(seen.size() == 50);
}
