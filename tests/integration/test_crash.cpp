// kill -9 at any moment: nothing acknowledged is lost, nothing runs twice.
#include "tests/integration/daemon_process.hpp"
#include "tests/support/seeds.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <random>
#include <set>

using namespace ferry;
using ferry::tests::daemon_process;
using ferry::tests::eventually;

TEST_CASE("a running job goes on while the daemon is dead, and is taken up again (P3)") {
  daemon_process daemon;
  daemon.start();
  const auto go = (daemon.directory() / "go").string(), begun = (daemon.directory() / "begun").string();
  const auto id =
      daemon.submit_script("echo one; touch " + begun + "; while ! test -e " + go + "; do sleep 0.02; done; echo two; exit 7");
  daemon.wait_for_file(begun);
  daemon.crash_and_start();
  CHECK(daemon.get("/jobs/" + std::to_string(id))["status"] == "running");
  std::ofstream(go) << "";
  const auto job = daemon.finished(id);
  CHECK(job["failure"]["exit_status"] == 7);
  CHECK(job["attempts"] == 1);
  const auto log = daemon.connect()->send({"GET", "/jobs/" + std::to_string(id) + "/log"});
  REQUIRE(log);
  CHECK(log->body == "one\ntwo\n");
}

TEST_CASE("the end of a job that came while no daemon was there is harvested (P3)") {
  daemon_process daemon;
  daemon.start();
  const auto go = (daemon.directory() / "go").string(), begun = (daemon.directory() / "begun").string(),
             ended = (daemon.directory() / "ended").string();
  const auto id = daemon.submit_script("touch " + begun + "; while ! test -e " + go + "; do sleep 0.02; done; touch " + ended);
  daemon.wait_for_file(begun);
  daemon.kill();
  std::ofstream(go) << "";
  daemon.wait_for_file(ended);
  std::optional<json> exited;
  eventually([&] {
    std::ifstream events(daemon.data() / "runs" / "1" / "events.jsonl");
    for (std::string line; std::getline(events, line);)
      if (const json event = json::parse(line, nullptr, false); event.is_object() && event["type"] == "exited")
        exited = event;
    return exited.has_value();
  });
  daemon.start();
  const json job = daemon.finished(id);
  CHECK(job["status"] == "completed");
  CHECK(job["finished"] == to_rfc3339(from_unix_ms((*exited)["at"].get<std::int64_t>()))); // not when that was found out
}

TEST_CASE("a job that is cancelled after a restart ends with all its processes") {
  daemon_process daemon;
  daemon.start();
  const auto begun = (daemon.directory() / "begun").string();
  const auto id = daemon.submit_script("touch " + begun + "; sleep 1000");
  daemon.wait_for_file(begun);
  daemon.crash_and_start();
  daemon.post("/jobs/" + std::to_string(id) + "/cancel");
  CHECK(daemon.finished(id)["status"] == "cancelled");
}

TEST_CASE("a clean stop ends with status 0 and leaves running jobs alone") {
  daemon_process daemon;
  daemon.start();
  const auto go = (daemon.directory() / "go").string(), begun = (daemon.directory() / "begun").string();
  const auto id = daemon.submit_script("touch " + begun + "; while ! test -e " + go + "; do sleep 0.02; done");
  daemon.wait_for_file(begun);
  CHECK(daemon.stop() == 0);
  CHECK_FALSE(std::filesystem::exists(daemon.socket()));
  daemon.start();
  std::ofstream(go) << "";
  CHECK(daemon.finished(id)["status"] == "completed");
}

// 8 clients submit with idempotency keys while the daemon is killed again and again; afterwards each acknowledged job is there
// once, in order, and each job has run exactly once.
TEST_CASE("every acknowledged job is there exactly once, and runs once, through a storm of kill -9 (P1, P2, P4)") {
  for (const auto seed : tests::seeds(1)) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    // A job that each of three crashes meets at its start is kept back by default; here crashes come that often.
    daemon_process daemon("[runs]\nquarantine_after = 0\n", 4);
    daemon.start();
    const auto ran = (daemon.directory() / "ran").string();
    constexpr int clients = 8;
    // 1,250 makes the storm one of 10,000 submits.
    const char* more = std::getenv("FERRY_TEST_JOBS_EACH");
    const int jobs_each = more ? std::atoi(more) : 60;
    std::vector<std::vector<std::int64_t>> acknowledged(clients);
    std::atomic<int> submitted = 0;
    std::vector<std::thread> threads;
    for (int c = 0; c < clients; ++c)
      threads.emplace_back([&, c] {
        auto client = daemon.connect();
        client->set_patience(std::chrono::seconds(60));
        for (int n = 0; n < jobs_each; ++n) {
          const auto name = std::to_string(c) + "-" + std::to_string(n);
          const json body = {
              {"type", "command"}, {"name", name}, {"params", {{"argv", {"sh", "-c", "echo " + name + " >> " + ran}}}}};
          const auto answer = client->send({"POST", "/jobs", body.dump(), "key-" + name});
          if (answer)
            acknowledged[static_cast<std::size_t>(c)].push_back(json::parse(answer->body).at("id"));
          ++submitted;
        }
      });
    while (submitted < clients * jobs_each) {
      const int until = submitted + static_cast<int>(std::uniform_int_distribution<>(10, 60)(random));
      eventually([&] { return submitted >= std::min(until, clients * jobs_each); });
      daemon.crash_and_start();
    }
    for (auto& t : threads)
      t.join();

    std::set<std::int64_t> distinct;
    for (const auto& ids : acknowledged) {
      REQUIRE(std::ssize(ids) == jobs_each);
      CHECK(std::is_sorted(ids.begin(), ids.end()));
      distinct.insert(ids.begin(), ids.end());
    }
    CHECK(std::ssize(distinct) == clients * jobs_each);
    eventually([&] {
      const auto counts = daemon.get("/status")["counts"];
      return counts["queued"] == 0 && counts["running"] == 0;
    });
    std::string others; // what became of those that did not complete
    for (const auto id : distinct)
      if (const auto job = daemon.get("/jobs/" + std::to_string(id)); job["status"] != "completed")
        others += job.dump() + "\n";
    CAPTURE(others);
    CHECK(daemon.get("/status")["counts"]["completed"] == clients * jobs_each);
    std::map<std::string, int> runs;
    std::ifstream in(ran);
    for (std::string line; std::getline(in, line);)
      ++runs[line];
    CHECK(std::ssize(runs) == clients * jobs_each);
    for (const auto& [name, times] : runs)
      CHECK(times == 1);
  }
}
