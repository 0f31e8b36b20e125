// Jobs from submit to result, as a user sees them.
#include "tests/integration/daemon_process.hpp"

#include <csignal>
#include <fstream>

using namespace ferry;
using ferry::tests::daemon_process;
using ferry::tests::eventually;

namespace {

std::vector<std::string> lines_of(const std::filesystem::path& file) {
  std::vector<std::string> lines;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);)
    lines.push_back(line);
  return lines;
}

bool process_lives(int pid) { return ::kill(pid, 0) == 0; }

} // namespace

TEST_CASE("a job runs and keeps its log, result and history (P6)") {
  daemon_process daemon;
  daemon.start();
  const auto id = daemon.submit_script("echo out; echo err >&2; echo data > \"$FERRY_JOB_DIR/file.txt\"");
  const auto job = daemon.finished(id);
  CHECK(job["status"] == "completed");
  CHECK(job["result"]["artifacts"][0]["path"] == "file.txt");
  CHECK(job["attempts"] == 1);
  const auto log = daemon.connect()->send({"GET", "/jobs/" + std::to_string(id) + "/log"});
  REQUIRE(log);
  CHECK(log->body == "out\nerr\n");
  CHECK(log->log_complete);
  std::vector<std::string> story;
  for (const auto history = daemon.get("/jobs/" + std::to_string(id) + "/history"); const auto& entry : history["history"])
    story.push_back(entry["what"]);
  CHECK(story == std::vector<std::string>{"job_queued", "batch_started", "run_started", "job_finished"});
}

TEST_CASE("failures say what happened") {
  daemon_process daemon;
  daemon.start();
  const auto status = daemon.finished(daemon.submit_script("exit 3"));
  CHECK(status["status"] == "failed");
  CHECK(status["failure"]["kind"] == "exit_status");
  CHECK(status["failure"]["exit_status"] == 3);
  const auto signal = daemon.finished(daemon.submit_script("kill -SEGV $$"));
  CHECK(signal["failure"]["signal"] == 11);
  const auto missing =
      daemon.finished(daemon.post("/jobs", {{"type", "command"}, {"params", {{"argv", {"/no/such/program"}}}}})["id"]);
  CHECK(missing["failure"]["kind"] == "launch");
  CHECK(missing["failure"]["message"].get<std::string>().find("/no/such/program") != std::string::npos);
}

TEST_CASE("jobs start by priority, then in the order they came") {
  daemon_process daemon({}, 1);
  daemon.start();
  const auto file = (daemon.directory() / "order").string();
  daemon.post("/queue/pause");
  std::vector<std::int64_t> ids;
  for (const auto& [name, priority] : {std::pair{"a", 50}, {"b", 90}, {"c", 50}, {"d", 10}, {"e", 90}})
    ids.push_back(daemon.submit_script(std::string("echo ") + name + " >> " + file, {{"priority", priority}}));
  const auto queue = daemon.get("/queue");
  std::vector<int> positions;
  for (const auto& job : queue["jobs"])
    positions.push_back(job["position"]);
  CHECK(positions == std::vector<int>{1, 2, 3, 4, 5});
  CHECK(queue["jobs"][0]["id"] == ids[1]);
  CHECK(queue["jobs"][0]["waiting_for"] == "the queue is paused");
  daemon.post("/queue/unpause");
  for (const auto id : ids)
    daemon.finished(id);
  CHECK(lines_of(file) == std::vector<std::string>{"b", "e", "a", "c", "d"});
}

TEST_CASE("hold, release, move, edit and priority change what starts") {
  daemon_process daemon({}, 1);
  daemon.start();
  const auto file = (daemon.directory() / "order").string();
  daemon.post("/queue/pause");
  const auto submit = [&](const std::string& name) { return daemon.submit_script("echo " + name + " >> " + file); };
  const auto a = submit("a"), b = submit("b"), c = submit("c"), d = submit("d"), e = submit("e");
  const auto path = [](std::int64_t id, const std::string& verb) { return "/jobs/" + std::to_string(id) + verb; };
  CHECK(daemon.post(path(a, "/hold"))["held"] == true);
  CHECK(daemon.post(path(d, "/move"), {{"position", "top"}})["position"] == 1);
  CHECK(daemon.post(path(b, "/move"), {{"position", 3}})["position"] == 3);
  CHECK(daemon.patch("/jobs/" + std::to_string(e), {{"priority", 99}, {"name", "last"}})["position"] == 1);
  const auto edited = daemon.patch("/jobs/" + std::to_string(c), {{"params", {{"argv", {"sh", "-c", "echo C >> " + file}}}}});
  CHECK(edited["params"]["argv"][2] == "echo C >> " + file);
  CHECK(daemon.refused("PATCH", "/jobs/" + std::to_string(c), R"({"params":{"argv":5}})").code == error_code::invalid_argument);
  CHECK(daemon.refused("POST", path(c, "/move"), R"({"position":1})").code == error_code::invalid_argument);
  daemon.crash_and_start(); // all of it is on disk
  CHECK(daemon.get("/queue")["paused"] == true);
  daemon.post("/queue/unpause");
  for (const auto id : {b, c, d, e})
    daemon.finished(id);
  CHECK(daemon.get("/jobs/" + std::to_string(a))["status"] == "queued");
  daemon.post(path(a, "/release"));
  daemon.finished(a);
  CHECK(lines_of(file) == std::vector<std::string>{"e", "d", "C", "b", "a"});
}

TEST_CASE("cancelling a queued job ends it at once, a running one with all its processes (P5)") {
  daemon_process daemon({}, 1);
  daemon.start();
  const auto file = daemon.directory() / "pids";
  const auto running = daemon.submit_script("setsid sleep 1000 & echo $! > " + file.string() + ".new; mv " + file.string() +
                                            ".new " + file.string() + "; sleep 1000");
  const auto queued = daemon.submit_script("true");
  const int escaped = std::stoi(daemon.wait_for_file(file));
  const auto path = [](std::int64_t id) { return "/jobs/" + std::to_string(id) + "/cancel"; };
  CHECK(daemon.post(path(queued))["status"] == "cancelled");
  daemon.post(path(running));
  CHECK(daemon.finished(running)["status"] == "cancelled");
  CHECK_FALSE(process_lives(escaped));
  CHECK(daemon.post(path(running))["status"] == "cancelled"); // twice is answered sensibly
  const auto completed = daemon.submit_script("true");
  daemon.finished(completed);
  CHECK(daemon.refused("POST", path(completed)).code == error_code::conflict);
  CHECK(daemon.refused("POST", path(999)).code == error_code::not_found);
}

TEST_CASE("a job that runs longer than its type allows is ended") {
  daemon_process daemon("[job_types.short]\ncommand = [\"sleep\", \"1000\"]\nmax_run_time = \"1s\"\ngrace = \"1s\"\n");
  daemon.start();
  const auto job = daemon.finished(daemon.post("/jobs", {{"type", "short"}})["id"]);
  CHECK(job["status"] == "failed");
  CHECK(job["failure"]["kind"] == "timeout");
}

TEST_CASE("a failed job can be retried and keeps its id and history") {
  daemon_process daemon;
  daemon.start();
  const auto file = (daemon.directory() / "ready").string();
  const auto id = daemon.submit_script("test -e " + file);
  CHECK(daemon.finished(id)["status"] == "failed");
  std::ofstream(file) << "now";
  daemon.post("/jobs/" + std::to_string(id) + "/retry");
  const auto job = daemon.finished(id);
  CHECK(job["status"] == "completed");
  CHECK(job["attempts"] == 2);
  CHECK(daemon.refused("POST", "/jobs/" + std::to_string(id) + "/retry").code == error_code::conflict);
}

TEST_CASE("cleared jobs leave the lists and can still be shown") {
  daemon_process daemon;
  daemon.start();
  const auto good = daemon.submit_script("true"), bad = daemon.submit_script("false");
  daemon.finished(good), daemon.finished(bad);
  CHECK(daemon.post("/queue/clear", {{"status", {"failed"}}})["cleared"] == 1);
  CHECK(daemon.get("/jobs")["jobs"].size() == 1);
  CHECK(daemon.get("/jobs?cleared=true")["jobs"].size() == 2);
  CHECK(daemon.get("/jobs/" + std::to_string(bad))["cleared"].is_string());
  CHECK(daemon.refused("POST", "/queue/clear", R"({"status":["running"]})").code == error_code::invalid_argument);
}

TEST_CASE("a relative source begins at the folder that the request names") {
  daemon_process daemon(
      "[job_types.copy]\ncommand = [\"cp\", \"{params.source}\", \"{dir}/copy\"]\n[job_types.copy.parameters]\n"
      "required = [\"source\"]\n[job_types.copy.parameters.properties.source]\ntype = \"string\"\nformat = \"job-result\"\n");
  daemon.start();
  std::ofstream(daemon.directory() / "photo") << "light\n";
  const json job = {{"type", "copy"}, {"params", {{"source", "photo"}}}};
  json one = job;
  one["base_dir"] = daemon.directory().string();
  const std::int64_t first = daemon.post("/jobs", one)["id"];
  const std::int64_t second = daemon.post("/jobs", {{"jobs", {job}}, {"base_dir", daemon.directory().string()}})["jobs"][0]["id"];
  for (const auto id : {first, second}) {
    const auto done = daemon.finished(id);
    CHECK(done["params"]["source"] == (daemon.directory() / "photo").string());
    CHECK(lines_of(done["directory"].get<std::string>() + "/copy") == std::vector<std::string>{"light"});
  }
  one["base_dir"] = "not/absolute";
  CHECK(daemon.refused("POST", "/jobs", one.dump()).problems.at(0).where == "/base_dir");
  one["base_dir"] = 5;
  CHECK(daemon.refused("POST", "/jobs", one.dump()).what.find("base_dir") != std::string::npos);
}

TEST_CASE("an upscale can take the result of an earlier job") {
  daemon_process daemon(
      "[job_types.copy]\ncommand = [\"cp\", \"{params.source}\", \"{dir}/copy\"]\n[job_types.copy.parameters]\n"
      "required = [\"source\"]\n[job_types.copy.parameters.properties.source]\ntype = \"string\"\nformat = \"job-result\"\n");
  daemon.start();
  const auto first = daemon.submit_script("echo picture > \"$FERRY_JOB_DIR/a.png\"");
  daemon.finished(first);
  const auto second = daemon.post("/jobs", {{"type", "copy"}, {"params", {{"source", "job:" + std::to_string(first)}}}})["id"];
  const auto job = daemon.finished(second);
  CHECK(job["status"] == "completed");
  CHECK(lines_of(job["directory"].get<std::string>() + "/copy") == std::vector<std::string>{"picture"});
  const auto third = daemon.finished(daemon.post("/jobs", {{"type", "copy"}, {"params", {{"source", "job:999"}}}})["id"]);
  CHECK(third["failure"]["kind"] == "input");
}

TEST_CASE("jobs get their share of the host's threads and none of the daemon's secrets") {
  ::setenv("FERRY_TEST_SECRET", "hush", 1);
  daemon_process daemon("[job_types.show]\ncommand = [\"env\"]\nthreads = 3\nenvironment = { COLOUR = \"blue\" }\n");
  daemon.start();
  const std::int64_t id = daemon.post("/jobs", {{"type", "show"}})["id"];
  daemon.finished(id);
  const auto log = daemon.connect()->send({"GET", "/jobs/" + std::to_string(id) + "/log"});
  ::unsetenv("FERRY_TEST_SECRET");
  REQUIRE(log);
  CHECK(log->body.find("OMP_NUM_THREADS=3\n") != std::string::npos);
  CHECK(log->body.find("COLOUR=blue\n") != std::string::npos);
  CHECK(log->body.find("FERRY_TEST_SECRET") == std::string::npos);
}

TEST_CASE("progress can be watched while a job runs") {
  daemon_process daemon;
  daemon.start();
  const auto go = (daemon.directory() / "go").string();
  const auto id =
      daemon.submit_script("printf ' 45%%|####      | 45/100 [00:01<00:02]\\r'; while ! test -e " + go + "; do sleep 0.02; done");
  eventually([&] { return daemon.get("/jobs/" + std::to_string(id))["progress"]["step"] == 45; });
  const auto job = daemon.get("/queue")["jobs"][0];
  CHECK(job["progress"]["fraction"] == 0.45);
  CHECK(job["phase"] == "running");
  std::ofstream(go) << "";
  CHECK(daemon.finished(id)["status"] == "completed");
}

TEST_CASE("a job that is to start later waits for its time, also over a restart, unless it is released") {
  daemon_process daemon;
  daemon.start();
  const auto submit_later = [&](int seconds) {
    return daemon.post("/jobs", {{"type", "command"}, {"params", {{"argv", {"true"}}}}, {"delay_seconds", seconds}})["id"]
        .get<std::int64_t>();
  };
  const auto later = submit_later(3600), soon = submit_later(3);
  const json before = daemon.get("/jobs/" + std::to_string(later));
  const std::string soon_at = daemon.get("/jobs/" + std::to_string(soon))["not_before"];
  CHECK(before["position"].is_null());
  CHECK(before["waiting_for"] == "it is not to start before " + before["not_before"].get<std::string>());
  daemon.crash_and_start();
  CHECK(daemon.get("/jobs/" + std::to_string(later))["not_before"] == before["not_before"]);
  const json done = daemon.finished(soon);
  CHECK(done["status"] == "completed");
  CHECK(done["started"].get<std::string>() >= soon_at);
  daemon.post("/jobs/" + std::to_string(later) + "/release");
  CHECK(daemon.finished(later)["status"] == "completed");
  CHECK(
      daemon.refused("POST", "/jobs", R"({"type":"command","params":{"argv":["true"]},"delay_seconds":-1})").problems.at(0).where ==
      "/delay_seconds");
}
