// Jobs that need others.
#include "tests/integration/daemon_process.hpp"

#include <fstream>

using namespace ferry;
using ferry::tests::daemon_process;
using ferry::tests::eventually;
using ferry::tests::run_program;

namespace {

std::string path_of(std::int64_t id, const char* action = "") { return "/jobs/" + std::to_string(id) + action; }

// A script that waits for a file and ends with a status.
class gate {
public:
  gate(const daemon_process& daemon, const std::string& name) : file_(daemon.directory() / name) {}
  [[nodiscard]] std::string script(int status = 0) const {
    return "while ! test -e " + file_.string() + "; do sleep 0.02; done; exit " + std::to_string(status);
  }
  void open() const { std::ofstream(file_) << ""; }

private:
  std::filesystem::path file_;
};

json needs(const std::vector<std::int64_t>& ids, const std::string& rule = "hold") {
  return {{"needs", ids}, {"on_needs_failure", rule}};
}

} // namespace

TEST_CASE("a job starts when all that it needs has completed, and says meanwhile what it waits for") {
  daemon_process daemon;
  daemon.start();
  const gate one(daemon, "one"), two(daemon, "two");
  const auto a = daemon.submit_script(one.script()), b = daemon.submit_script(two.script());
  eventually([&] { return daemon.get(path_of(b))["status"] == "running"; });
  const auto c = daemon.submit_script("true", needs({b, a, b}));
  const auto d = daemon.submit_script("true", needs({c}));
  const json waiting = daemon.get(path_of(c));
  CHECK(waiting["needs"] == json{a, b});
  CHECK(waiting["on_needs_failure"] == "hold");
  CHECK(waiting["status"] == "queued");
  CHECK(waiting["held"] == false);
  CHECK(waiting["position"].is_null());
  CHECK(waiting["waiting_for"] == "needs jobs " + std::to_string(a) + " and " + std::to_string(b));
  CHECK(daemon.get(path_of(d))["waiting_for"] == "needs job " + std::to_string(c) + ", which is queued");
  CHECK(daemon.get("/status")["counts"]["held"] == 2);
  one.open();
  CHECK(daemon.finished(a)["status"] == "completed");
  eventually([&] { return daemon.get(path_of(c))["waiting_for"] == "needs job " + std::to_string(b) + ", which is running"; });
  CHECK(daemon.post(path_of(c, "/release"))["status"] == "queued"); // there is no hold to lift
  CHECK(daemon.get(path_of(c))["position"].is_null());
  two.open();
  const json done = daemon.finished(d);
  CHECK(done["status"] == "completed");
  CHECK(done["started"].get<std::string>() >= daemon.get(path_of(c))["finished"].get<std::string>());
}

TEST_CASE("a job whose need failed is held until that completes after all, over a kill -9 of the daemon") {
  daemon_process daemon;
  daemon.start();
  const auto ready = (daemon.directory() / "ready").string();
  const gate go(daemon, "go");
  const auto a = daemon.submit_script(go.script() + "; test -e " + ready), b = daemon.submit_script("true", needs({a}));
  const auto bad = daemon.submit_script("exit 3"), c = daemon.submit_script("true", needs({bad}));
  daemon.finished(bad);
  const auto reason = "job " + std::to_string(bad) + ", which it needs, failed";
  eventually([&] { return daemon.get(path_of(c))["held"] == true; });
  daemon.crash_and_start();
  const json held = daemon.get(path_of(c));
  CHECK(held["held_for"] == reason);
  CHECK(held["waiting_for"] == "it is held: " + reason);
  daemon.post("/queue/clear"); // what it needs is shown by its id all the same
  CHECK(daemon.get(path_of(bad))["cleared"].is_string());
  CHECK(daemon.get(path_of(c))["held_for"] == reason);
  daemon.post(path_of(c, "/release"));
  const json released = daemon.finished(c);
  CHECK(released["status"] == "completed");
  CHECK(released["needs"] == json::array());

  // Killed while the needed job runs; its end comes while no daemon is there.
  eventually([&] { return daemon.get(path_of(a))["status"] == "running"; });
  daemon.kill();
  go.open();
  daemon.start();
  CHECK(daemon.finished(a)["status"] == "completed");
  CHECK(daemon.finished(b)["status"] == "completed");
}

TEST_CASE("a held job goes on by itself when the job that it needs is retried and completes") {
  daemon_process daemon;
  daemon.start();
  const auto ready = (daemon.directory() / "ready").string();
  const auto a = daemon.submit_script("test -e " + ready);
  const auto b = daemon.submit_script("true", needs({a}));
  CHECK(daemon.finished(a)["status"] == "failed");
  eventually([&] { return daemon.get(path_of(b))["held"] == true; });
  daemon.post(path_of(b, "/cancel"));
  daemon.post(path_of(b, "/retry")); // it waits as before
  CHECK(daemon.get(path_of(b))["held_for"] == "job " + std::to_string(a) + ", which it needs, failed");
  std::ofstream(ready) << "";
  daemon.post(path_of(a, "/retry"));
  CHECK(daemon.finished(b)["status"] == "completed");
  CHECK(daemon.get(path_of(b))["attempts"] == 1);
}

TEST_CASE("jobs that are cancelled with what they need say why, and so do theirs, also over a crash") {
  daemon_process daemon;
  daemon.start();
  daemon.post("/queue/pause");
  const auto a = daemon.submit_script("true");
  const auto b = daemon.submit_script("true", needs({a}, "cancel")), c = daemon.submit_script("true", needs({b}, "cancel")),
             d = daemon.submit_script("true", needs({c, b}, "start")), e = daemon.submit_script("true", needs({c}));
  daemon.post(path_of(a, "/cancel"));
  const json shown = daemon.finished(c);
  CHECK(shown["status"] == "cancelled");
  CHECK(shown["failure"]["kind"] == "needs");
  CHECK(shown["failure"]["message"] == "job " + std::to_string(b) + ", which it needs, was cancelled");
  daemon.crash_and_start();
  CHECK(daemon.get("/status")["counts"]["cancelled"] == 3);
  daemon.post("/queue/unpause");
  CHECK(daemon.finished(d)["status"] == "completed");
  CHECK(daemon.get(path_of(e))["held"] == true);
  CHECK(daemon.refused("POST", path_of(c, "/retry")).what ==
        "job " + std::to_string(c) + " cannot be retried: job " + std::to_string(b) + ", which it needs, was cancelled");
  // Submitted after the failure, the rules hold at once.
  const auto late = daemon.submit_script("true", needs({a}, "cancel"));
  CHECK(daemon.finished(late)["status"] == "cancelled");
  CHECK(daemon.finished(daemon.submit_script("true", needs({a, d}, "start")))["status"] == "completed");
  CHECK(daemon.get(path_of(daemon.submit_script("true", needs({a, d}))))["held"] == true);
}

TEST_CASE("needs are checked whole, in single and in bulk submits") {
  daemon_process daemon;
  daemon.start();
  const auto a = daemon.submit_script("true");
  daemon.finished(a);
  const json job = {{"type", "command"}, {"params", {{"argv", {"true"}}}}};
  const auto with = [&](const json& more) {
    json one = job;
    one.update(more);
    return one;
  };
  const auto unknown = daemon.refused("POST", "/jobs", with({{"needs", {a, 98, 99}}}).dump());
  REQUIRE(unknown.problems.size() == 2);
  CHECK(unknown.problems[0].where == "/needs/1");
  CHECK(unknown.problems[0].what == "there is no job 98");
  const auto bulk = daemon.refused("POST", "/jobs", json{{"jobs", {job, with({{"needs", {77}}})}}}.dump());
  CHECK(bulk.problems.at(0).where == "/jobs/1/needs/0");
  const auto many = daemon.refused("POST", "/jobs", with({{"needs", std::vector<int>(65, 1)}}).dump());
  CHECK(many.problems.at(0).what == "names 65 jobs; at most 64 are allowed");
  CHECK(daemon.refused("POST", "/jobs", with({{"needs", {0}}}).dump()).what == "needs/0 must be a job id, is 0");
  CHECK(daemon.refused("POST", "/jobs", with({{"needs", 5}}).dump()).what == "needs must be a list of job ids, is 5");
  CHECK(daemon.refused("POST", "/jobs", with({{"on_needs_failure", "wait"}}).dump()).what ==
        "on_needs_failure must be hold, cancel or start, is 'wait'");
  CHECK(daemon.get("/status")["counts"]["queued"] == 0);
  const json made = daemon.post("/jobs", {{"jobs", {with({{"needs", {a}}}), job}}});
  for (const json& one : made["jobs"])
    CHECK(daemon.finished(one["id"])["status"] == "completed");
}

TEST_CASE("needs from the command line") {
  daemon_process daemon;
  daemon.start();
  const auto socket = "FERRY_SOCKET=" + daemon.socket().string();
  const auto ferry = [&](std::vector<std::string> words) {
    words.insert(words.begin(), FERRY_PROGRAM);
    return run_program(words, {socket});
  };
  const auto file = (daemon.directory() / "go").string();
  daemon.submit_script("while ! test -e " + file + "; do sleep 0.02; done; exit 1");
  eventually([&] { return daemon.get(path_of(1))["status"] == "running"; });
  CHECK(ferry({"submit", "--needs", "1", "command", "--", "true"}).output == "job 2 waits: needs job 1, which is running\n");
  CHECK(ferry({"submit", "--needs", "1,2", "--on-needs-failure", "cancel", "--quiet", "command", "--", "true"}).output == "3\n");
  CHECK(ferry({"queue"}).output.find("needs 2 jobs") != std::string::npos);
  const auto shown = ferry({"show", "3"}).output;
  CHECK(shown.find("job 1, 2; cancelled if one does not complete") != std::string::npos);
  CHECK(ferry({"submit", "--needs", "55", "command", "--", "true"}).output.find("there is no job 55") != std::string::npos);
  const auto lines = (daemon.directory() / "jobs.jsonl").string();
  std::ofstream(lines) << R"({"params":{"argv":["true"]},"needs":[2],"on_needs_failure":"start"})"
                       << "\n"
                       << R"({"params":{"argv":["true"]}})"
                       << "\n";
  CHECK(ferry({"submit", "command", "--needs", "1", "--on-needs-failure", "start", "--from", lines}).output ==
        "2 jobs queued: 4-5\n");
  CHECK(daemon.get(path_of(4))["needs"] == json{2});
  CHECK(daemon.get(path_of(5))["needs"] == json{1});
  std::ofstream(file) << "";
  CHECK(daemon.finished(3)["status"] == "cancelled");
  CHECK(ferry({"show", "3"}).output.find("cancelled: job 1, which it needs, failed") != std::string::npos);
  CHECK(ferry({"show", "2"}).output.find("held: job 1, which it needs, failed") != std::string::npos);
  CHECK(daemon.finished(5)["status"] == "completed");
  CHECK(ferry({"release", "2"}).status == 0);
  CHECK(daemon.finished(4)["status"] == "completed");
}
