// The watchdog: silence, stalls, metrics, devices, the disk, and ferry's own books.
#include "tests/integration/daemon_process.hpp"

#include <csignal>
#include <fstream>
#include <sys/wait.h>
#include <unistd.h>

using namespace ferry;
using ferry::tests::daemon_process;
using ferry::tests::eventually;

namespace {

std::string path_of(std::int64_t id) { return "/jobs/" + std::to_string(id); }

json warning_of(const json& job) {
  for (const json& entry : job["history"])
    if (entry["what"] == "run_warned")
      return entry["detail"];
  return nullptr;
}

// In a command template, where braces are doubled; within single quotes of TOML.
std::string reporting(const std::string& step, const std::string& loss) {
  return R"(echo "{{\"type\":\"progress\",\"step\":)" + step + R"(,\"total\":9,\"metrics\":{{\"loss\":)" + loss +
         R"(}}}}" >> $FERRY_EVENTS; )";
}

} // namespace

TEST_CASE("a run that gives no sign of life is ended, tried again, and leaves the evidence") {
  daemon_process daemon("[job_types.silent]\ncommand = [\"sleep\", \"1000\"]\nheartbeat = \"300ms\"\ngrace = \"1s\"\n"
                        "retry = { timeout = 1, delay = \"10ms\" }\n");
  daemon.start();
  const json job = daemon.finished(daemon.post("/jobs", {{"type", "silent"}})["id"]);
  CHECK(job["status"] == "failed");
  CHECK(job["attempts"] == 2);
  CHECK(job["failure"]["kind"] == "timeout");
  CHECK(job["failure"]["message"].get<std::string>().starts_with("gave no sign of life"));
  const json warning = warning_of(job);
  REQUIRE(warning.is_object());
  CHECK(warning["rule"] == "heartbeat");
  CHECK(warning["action"] == "retry");
}

TEST_CASE("output alone keeps the heartbeat") {
  daemon_process daemon("[job_types.chatty]\ncommand = [\"sh\", \"-c\", 'for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.25; done']\n"
                        "heartbeat = \"1500ms\"\nprogress = \"none\"\n");
  daemon.start();
  CHECK(daemon.finished(daemon.post("/jobs", {{"type", "chatty"}})["id"])["status"] == "completed");
}

TEST_CASE("a run without a first sign of life exceeds its start time; the action warn lets it go on") {
  daemon_process daemon(
      "[job_types.slow]\ncommand = [\"sh\", \"-c\", \"sleep 1\"]\nmax_start_time = \"200ms\"\non_max_start_time = \"warn\"\n"
      "[job_types.slower]\ncommand = [\"sleep\", \"1000\"]\nmax_start_time = \"200ms\"\non_max_start_time = \"fail\"\n");
  daemon.start();
  const json warned = daemon.finished(daemon.post("/jobs", {{"type", "slow"}})["id"]);
  CHECK(warned["status"] == "completed");
  CHECK(warning_of(warned)["rule"] == "max_start_time");
  const json failed = daemon.finished(daemon.post("/jobs", {{"type", "slower"}})["id"]);
  CHECK(failed["status"] == "failed");
  CHECK(failed["attempts"] == 1);
}

TEST_CASE("a loss that became NaN ends the run, and the metrics are shown") {
  daemon_process daemon("[job_types.train]\ncommand = [\"sh\", \"-c\", '" + reporting("1", "0.5") + "sleep 1; " +
                        reporting("2", R"(\"nan\")") + "sleep 1000']\nmetric_rules = [\"loss is nan: fail\"]\ngrace = \"1s\"\n");
  daemon.start();
  const std::int64_t id = daemon.post("/jobs", {{"type", "train"}})["id"];
  eventually([&] { return daemon.get(path_of(id))["progress"]["metrics"].value("loss", json()) == 0.5; });
  const json job = daemon.finished(id);
  CHECK(job["status"] == "failed");
  CHECK(job["failure"]["kind"] == "metric");
  CHECK(job["failure"]["message"] == "loss is nan at step 2, which the rule \"loss is nan: fail\" forbids");
  CHECK(job["attempts"] == 1);
}

TEST_CASE("a run that stalls is found also after the daemon was killed") {
  daemon_process daemon(
      "[job_types.silent]\ncommand = [\"sleep\", \"1000\"]\nheartbeat = \"2s\"\non_heartbeat = \"fail\"\ngrace = \"1s\"\n");
  daemon.start();
  const std::int64_t id = daemon.post("/jobs", {{"type", "silent"}})["id"];
  eventually([&] { return daemon.get(path_of(id))["phase"] == "running"; });
  daemon.crash_and_start();
  const json job = daemon.finished(id);
  CHECK(job["failure"]["kind"] == "timeout");
  CHECK(job["attempts"] == 1);
}

TEST_CASE("nothing is started while the disk is nearly full, and that is said") {
  daemon_process daemon({}, 2, {}, "free_mib_min = 16777216\n");
  daemon.start();
  const auto id = daemon.submit_script("true");
  eventually([&] {
    const json job = daemon.get(path_of(id));
    return job["waiting_for"].is_string() && job["waiting_for"].get<std::string>().starts_with("the disk is nearly full");
  });
  CHECK(daemon.get(path_of(id))["status"] == "queued");
}

TEST_CASE("a process that belongs to no run that anybody knows is found and ended") {
  daemon_process daemon("[runs]\naudit_interval = \"1s\"\n");
  daemon.start();
  const auto stray_of = daemon.data() / "runs" / "4711";
  std::filesystem::create_directories(stray_of);
  const pid_t stray = ::fork();
  if (stray == 0) {
    const std::string mark = "FERRY_RUN_DIR=" + stray_of.string();
    const char* environment[] = {mark.c_str(), nullptr};
    const char* argv[] = {"sleep", "1000", nullptr};
    ::execve("/bin/sleep", const_cast<char**>(argv), const_cast<char**>(environment));
    ::_exit(127);
  }
  int status = 0;
  eventually([&] { return ::waitpid(stray, &status, WNOHANG) == stray; });
  CHECK(WIFSIGNALED(status));
  CHECK(daemon.finished(daemon.submit_script("true"))["status"] == "completed");
}

TEST_CASE("a run whose directory was removed fails with a clear reason, is ended, and the others go on") {
  daemon_process daemon;
  daemon.start();
  const auto begun = daemon.directory() / "begun";
  const auto lost = daemon.submit_script("touch " + begun.string() + "; sleep 1000");
  daemon.wait_for_file(begun);
  const auto other = daemon.submit_script("sleep 1.5");
  eventually([&] { return daemon.get(path_of(other))["phase"] == "running"; });
  const json job = daemon.get(path_of(lost));
  const int pid = tests::pid_in(job);
  REQUIRE(pid > 0);
  daemon.kill();
  eventually([&] { // its supervisor may be writing a file there at this very moment
    std::error_code failed;
    std::filesystem::remove_all(daemon.data() / "runs" / std::to_string(job["batch"].get<std::int64_t>()), failed);
    return !failed;
  });
  daemon.start();
  const json ended = daemon.finished(lost);
  CHECK(ended["status"] == "failed");
  CHECK(ended["attempts"] == 1);
  CHECK(ended["failure"]["message"] == "its run directory is damaged: it was removed while the job ran");
  eventually([&] { return ::kill(pid, 0) != 0; });
  CHECK(daemon.finished(other)["status"] == "completed");
}

TEST_CASE("a run of an earlier boot is gone: it is tried again by its policy, and fails when that allows none") {
  daemon_process daemon("[job_types.again]\ncommand = [\"sh\", \"-c\", 'test $FERRY_BATCH_ID != 1 || sleep 1000']\n"
                        "retry = { lost = 1, delay = \"10ms\" }\n"
                        "[job_types.once]\ncommand = [\"sleep\", \"1000\"]\nretry = { lost = 0 }\n");
  daemon.start();
  const std::int64_t again = daemon.post("/jobs", {{"type", "again"}})["id"], once = daemon.post("/jobs", {{"type", "once"}})["id"];
  std::vector<int> pids;
  for (const auto id : {again, once}) {
    eventually([&] { return daemon.get(path_of(id))["phase"] == "running"; });
    pids.push_back(tests::pid_in(daemon.get(path_of(id))));
    REQUIRE(pids.back() > 0);
  }
  daemon.kill();
  // What a reboot leaves: no process, and the marks of another boot.
  for (const std::int64_t batch : {1, 2}) {
    const auto file = daemon.data() / "runs" / std::to_string(batch) / "shim.json";
    std::ifstream in(file);
    json shim = json::parse(in);
    ::kill(shim["pid"].get<int>(), SIGKILL);
    shim["boot_id"] = "00000000-0000-0000-0000-000000000000";
    std::filesystem::remove(file); // other runs have it under another name
    std::ofstream(file) << shim.dump();
  }
  for (const int pid : pids)
    ::kill(pid, SIGKILL);
  daemon.start();
  const json retried = daemon.finished(again);
  CHECK(retried["status"] == "completed");
  CHECK(retried["attempts"] == 2);
  const json failed = daemon.finished(once);
  CHECK(failed["status"] == "failed");
  CHECK(failed["failure"]["kind"] == "lost");
}
