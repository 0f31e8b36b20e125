// Several attempts of one job: retries, resuming from checkpoints, suspending, preempting.
#include "tests/integration/daemon_process.hpp"

#include <csignal>
#include <fstream>

using namespace ferry;
using ferry::tests::daemon_process;
using ferry::tests::eventually;

namespace {

std::string path_of(std::int64_t id, const char* action = "") { return "/jobs/" + std::to_string(id) + action; }

std::vector<std::string> story_of(daemon_process& daemon, std::int64_t id) {
  std::vector<std::string> names;
  const json answer = daemon.get(path_of(id, "/history"));
  for (const json& entry : answer["history"])
    names.push_back(entry["what"]);
  return names;
}

bool tells(const std::vector<std::string>& story, const std::string& what) {
  return std::find(story.begin(), story.end(), what) != story.end();
}

// Counts to ten, a checkpoint a step; on TERM it leaves with 75. Each attempt appends to `log` where it began. A file `hold` makes
// it wait at step five.
std::string trainer(const std::filesystem::path& folder) {
  return R"(
[job_types.train]
command = ["sh", "-c", '''
  trap 'exit 75' TERM
  step=0
  [ -n "$FERRY_RESUME_FROM" ] && step=$(cat "$FERRY_RESUME_FROM")
  echo "$step $1" >> )" +
         (folder / "log").string() + R"(
  while [ $step -lt 10 ]; do
    step=$((step + 1))
    echo $step > ckpt.new; mv ckpt.new ckpt-$step
    printf '{{"type":"progress","step":%d,"total":10}}\n{{"type":"checkpoint","path":"ckpt-%d","step":%d}}\n' $step $step $step >> "$FERRY_EVENTS"
    if [ $step -eq 5 ]; then touch )" +
         (folder / "at-five").string() + "; while [ -e " + (folder / "hold").string() + R"( ]; do sleep 0.02; done; fi
  done
''', "train"]
resume_arguments = ["from {checkpoint}"]
grace = "20s"
preemptible = true
retry = { exit_status = 2, signal = 3, lost = 3, delay = "100ms", delay_max = "1s" }
)";
}

// A daemon with a trainer that has come to step five and waits there.
class training {
public:
  explicit training(const std::string& more = {}, int slots = 1) : folder_(), daemon(trainer(folder_.path()) + more, slots) {
    daemon.start();
    std::ofstream(folder_.path() / "hold") << "";
    id = daemon.post("/jobs", {{"type", "train"}})["id"];
    daemon.wait_for_file(folder_.path() / "at-five");
    // What it reported is looked at a few times a second.
    eventually([&] { return daemon.get(path_of(id))["progress"]["step"] == 5; });
  }
  void let_go() { std::filesystem::remove(folder_.path() / "hold"); }
  [[nodiscard]] std::string beginnings() {
    std::ifstream in(folder_.path() / "log");
    std::string all;
    for (std::string line; std::getline(in, line);)
      all += line.substr(0, line.find('/')) + ";";
    return all;
  }

private:
  tests::scratch_directory folder_;

public:
  daemon_process daemon;
  std::int64_t id = 0;
};

} // namespace

TEST_CASE("a failed attempt is tried again after its backoff, and the job shows why it waits") {
  daemon_process daemon("[job_types.flaky]\ncommand = [\"sh\", \"-c\", \"exit 3\"]\n"
                        "retry = { exit_status = 2, delay = \"300ms\", delay_max = \"300ms\" }\n");
  daemon.start();
  const std::int64_t id = daemon.post("/jobs", {{"type", "flaky"}})["id"];
  eventually([&] {
    const json job = daemon.get(path_of(id));
    return job["status"] == "queued" && job["retries"] == 1 && job["not_before"].is_string() &&
           job["waiting_for"].get<std::string>().starts_with("it is tried again at ");
  });
  const json job = daemon.finished(id);
  CHECK(job["status"] == "failed");
  CHECK(job["attempts"] == 3);
  CHECK(job["retries"] == 2);
  CHECK(job["failure"]["exit_status"] == 3);
}

TEST_CASE("a backoff survives a restart, and `release` ends it") {
  daemon_process daemon("[job_types.flaky]\ncommand = [\"sh\", \"-c\", \"exit 3\"]\n"
                        "retry = { exit_status = 1, delay = \"1h\", delay_max = \"1h\" }\n");
  daemon.start();
  const std::int64_t id = daemon.post("/jobs", {{"type", "flaky"}})["id"];
  json before;
  eventually([&] { return (before = daemon.get(path_of(id)))["not_before"].is_string(); });
  daemon.crash_and_start();
  const json after = daemon.get(path_of(id));
  CHECK(after["status"] == "queued");
  CHECK(after["not_before"] == before["not_before"]);
  CHECK(after["position"].is_null());
  daemon.post("/queue/pause"); // so that its second attempt does not begin before the daemon dies
  daemon.post(path_of(id, "/release"));
  daemon.crash_and_start();
  CHECK(daemon.get(path_of(id))["not_before"].is_null());
  daemon.post("/queue/unpause");
  CHECK(daemon.finished(id)["attempts"] == 2);
}

TEST_CASE("a job whose process was killed continues from its newest checkpoint, and its earlier outputs stay") {
  training t;
  const json job = t.daemon.get(path_of(t.id));
  const std::filesystem::path first = job["directory"].get<std::string>();
  const int pid = tests::pid_in(job);
  REQUIRE(pid > 0);
  ::kill(pid, SIGKILL);
  t.let_go();
  const json done = t.daemon.finished(t.id);
  CHECK(done["status"] == "completed");
  CHECK(done["attempts"] == 2);
  CHECK(t.beginnings().starts_with("0 ;"));
  CHECK(t.beginnings().find("from ") != std::string::npos);
  CHECK(std::filesystem::exists(first / "ckpt-5"));
  CHECK(done["directory"] != first.string());
}

TEST_CASE("a suspended job writes a checkpoint, leaves, waits held, and goes on at its step when it is resumed") {
  training t;
  t.daemon.post(path_of(t.id, "/suspend"));
  t.let_go(); // it heeds TERM between two steps
  json job;
  eventually([&] { return (job = t.daemon.get(path_of(t.id)))["held"] == true; });
  CHECK(job["status"] == "queued");
  CHECK(job["held_for"] == "suspended");
  CHECK(job["waiting_for"] == "it is held: suspended");
  t.daemon.crash_and_start();
  CHECK(t.daemon.get(path_of(t.id))["held_for"] == "suspended");
  t.daemon.post(path_of(t.id, "/resume"));
  const json done = t.daemon.finished(t.id);
  CHECK(done["status"] == "completed");
  CHECK(done["attempts"] == 2);
  CHECK(done["retries"] == 0);
  CHECK(t.beginnings().starts_with("0 ;"));
  CHECK(t.beginnings().substr(3).starts_with("5 from "));
  const auto story = story_of(t.daemon, t.id);
  for (const char* what : {"job_queued", "batch_started", "run_started", "checkpoint_saved", "attempt_ended", "job_released",
                           "attempt_resumed", "job_finished"}) {
    CAPTURE(what);
    CHECK(tells(story, what));
  }
}

TEST_CASE("one command frees the whole machine, and one gives it back") {
  training t({}, 2);
  const auto other = t.daemon.submit_script("sleep 1000");
  eventually([&] { return t.daemon.get(path_of(other))["phase"] == "running"; });
  CHECK(t.daemon.post("/queue/suspend")["suspended"] == 2);
  t.let_go();
  eventually([&] {
    const json status = t.daemon.get("/status");
    return status["counts"]["running"] == 0 && status["counts"]["held"] == 2;
  });
  CHECK(t.daemon.get("/status")["paused"] == true);
  CHECK(t.daemon.post("/queue/resume")["released"] == 2);
  CHECK(t.daemon.finished(t.id)["status"] == "completed");
  eventually([&] { return t.daemon.get(path_of(other))["phase"] == "running"; });
  CHECK(t.daemon.get("/status")["paused"] == false);
  t.daemon.post(path_of(other, "/cancel"));
  CHECK(t.daemon.finished(other)["status"] == "cancelled");
}

TEST_CASE("a job of a higher tier takes the device of a preemptible one, which goes on after it") {
  training t("[job_types.urgent]\ncommand = [\"true\"]\ntier = 5\n");
  const std::int64_t urgent = t.daemon.post("/jobs", {{"type", "urgent"}})["id"];
  CHECK(t.daemon.finished(urgent)["status"] == "completed"); // it heeds TERM while it waits
  t.let_go();
  const json done = t.daemon.finished(t.id);
  CHECK(done["status"] == "completed");
  CHECK(done["attempts"] == 2);
  CHECK(done["retries"] == 0);
  CHECK(t.beginnings().substr(3).starts_with("5 from "));
  bool preempted = false;
  for (const json& entry : done["history"])
    preempted =
        preempted || (entry["what"] == "attempt_ended" && entry["detail"]["how"] == "preempted" && entry["detail"]["step"] == 5);
  CHECK(preempted);
}

TEST_CASE("a job that was suspended and is then cancelled is cancelled") {
  training t;
  t.daemon.post(path_of(t.id, "/suspend"));
  t.daemon.post(path_of(t.id, "/cancel"));
  t.let_go();
  CHECK(t.daemon.finished(t.id)["status"] == "cancelled");
}

TEST_CASE("a cancelled job is resumed by hand from its checkpoint, from scratch where that is asked for, or as a new job") {
  training t;
  t.daemon.post(path_of(t.id, "/cancel"));
  t.let_go();
  REQUIRE(t.daemon.finished(t.id)["status"] == "cancelled");
  const std::int64_t anew = t.daemon.post(path_of(t.id, "/resume"), {{"as_new", true}})["id"];
  CHECK(t.daemon.finished(anew)["status"] == "completed");
  CHECK(t.daemon.get(path_of(anew))["resumed_from"] == t.id);
  CHECK(t.beginnings().substr(3).starts_with("5 from "));
  t.daemon.post(path_of(t.id, "/resume"));
  CHECK(t.daemon.finished(t.id)["attempts"] == 2);
  CHECK(t.beginnings().find(";5 from ", 4) != std::string::npos);
  CHECK(t.daemon.refused("POST", path_of(t.id, "/resume")).code == error_code::conflict); // it has completed
  CHECK(t.daemon.refused("POST", path_of(4711, "/resume")).code == error_code::not_found);
}

TEST_CASE("a job whose checkpoints were removed begins anew, and says so") {
  training t;
  t.daemon.post(path_of(t.id, "/suspend"));
  t.let_go();
  eventually([&] { return t.daemon.get(path_of(t.id))["held"] == true; });
  for (const auto& file : std::filesystem::directory_iterator(t.daemon.get(path_of(t.id))["directory"].get<std::string>()))
    std::filesystem::remove_all(file);
  t.daemon.post(path_of(t.id, "/resume"));
  CHECK(t.daemon.finished(t.id)["status"] == "completed");
  CHECK(t.beginnings() == "0 ;0 ;");
  CHECK(tells(story_of(t.daemon, t.id), "run_warned"));
}

TEST_CASE("a retry from scratch sets the checkpoints aside") {
  training t;
  t.daemon.post(path_of(t.id, "/cancel"));
  t.let_go();
  REQUIRE(t.daemon.finished(t.id)["status"] == "cancelled");
  t.daemon.post(path_of(t.id, "/retry"), {{"from_scratch", true}});
  CHECK(t.daemon.finished(t.id)["status"] == "completed");
  CHECK(t.beginnings() == "0 ;0 ;");
}

TEST_CASE("checkpoints that are not announced are found by the pattern of their type") {
  daemon_process daemon(
      "[job_types.quiet]\ncommand = [\"sh\", \"-c\", 'if [ -n \"$FERRY_RESUME_FROM\" ]; then cat \"$FERRY_RESUME_FROM\"; "
      "else mkdir out; echo one > out/c-1.pt; echo x > out/other; exit 4; fi']\n"
      "checkpoint_files = \"out/c-*.pt\"\nretry = { exit_status = 1, delay = \"10ms\" }\n");
  daemon.start();
  const std::int64_t id = daemon.post("/jobs", {{"type", "quiet"}})["id"];
  CHECK(daemon.finished(id)["status"] == "completed");
  const auto log = daemon.connect()->send({"GET", path_of(id) + "/log"});
  REQUIRE(log);
  CHECK(log->body == "one\n");
}

TEST_CASE("status 75 after a checkpoint means to be continued; without one it is a failure like any other") {
  daemon_process daemon(
      "[job_types.sliced]\ncommand = [\"sh\", \"-c\", 'if [ -n \"$FERRY_RESUME_FROM\" ]; then exit 0; fi; echo 1 > c; "
      "echo \"{{\\\"type\\\":\\\"checkpoint\\\",\\\"path\\\":\\\"c\\\"}}\" >> \"$FERRY_EVENTS\"; exit 75']\n");
  daemon.start();
  const std::int64_t id = daemon.post("/jobs", {{"type", "sliced"}})["id"];
  const json job = daemon.finished(id);
  CHECK(job["status"] == "completed");
  CHECK(job["attempts"] == 2);
  CHECK(job["retries"] == 0);
  const json plain = daemon.finished(daemon.submit_script("exit 75"));
  CHECK(plain["status"] == "failed");
  CHECK(plain["failure"]["exit_status"] == 75);
}

TEST_CASE("a type whose jobs fail one after the other is held with the reason, also over a restart, until it is released") {
  daemon_process daemon("[job_types.broken]\ncommand = [\"false\"]\nfailure_storm = 3\n", 1);
  daemon.start();
  std::vector<std::int64_t> ids;
  for (int i = 0; i < 5; ++i)
    ids.push_back(daemon.post("/jobs", {{"type", "broken"}})["id"]);
  eventually([&] { return daemon.get("/status")["held_types"].contains("broken"); });
  eventually([&] { return daemon.get("/status")["counts"]["failed"] == 3; });
  CHECK(daemon.finished(daemon.submit_script("true"))["status"] == "completed"); // others go on
  daemon.crash_and_start();
  const std::string why = daemon.get("/status")["held_types"]["broken"];
  CHECK(why.starts_with("3 of its jobs failed one after the other"));
  CHECK(daemon.get(path_of(ids[4]))["waiting_for"] == "its type is held: " + why);
  daemon.post("/job-types/broken/release");
  CHECK(daemon.finished(ids[4])["status"] == "failed");
  CHECK(daemon.refused("POST", "/job-types/brokn/release").hint == "did you mean 'broken'?");
}

TEST_CASE("a user holds a type and releases it") {
  daemon_process daemon("[job_types.quick]\ncommand = [\"true\"]\n");
  daemon.start();
  daemon.post("/job-types/quick/hold", {{"reason", "maintenance"}});
  const std::int64_t id = daemon.post("/jobs", {{"type", "quick"}})["id"];
  CHECK(daemon.get(path_of(id))["waiting_for"] == "its type is held: maintenance");
  daemon.post("/job-types/quick/release");
  CHECK(daemon.finished(id)["status"] == "completed");
}

TEST_CASE("a job in whose start ferry died twice is quarantined, and released by hand") {
  daemon_process daemon;
  daemon.start();
  const auto id = daemon.submit_script("sleep 1000");
  for (const std::int64_t batch : {1, 2}) {
    int pid = 0;
    eventually([&] {
      const json job = daemon.get(path_of(id));
      pid = job["batch"] == batch ? tests::pid_in(job) : 0;
      return pid > 0;
    });
    daemon.kill();
    // What a crash between the start on disk and the launch leaves: no directory and no process.
    const auto directory = daemon.data() / "runs" / std::to_string(batch);
    ::kill(pid, SIGKILL);
    eventually([&] { return ::kill(pid, 0) != 0; }); // its shim has seen to it
    eventually([&] {                                 // its shim may still remove its own socket
      std::error_code meanwhile;
      std::filesystem::remove_all(directory, meanwhile);
      return !std::filesystem::exists(directory, meanwhile);
    });
    daemon.start();
  }
  json job = daemon.get(path_of(id));
  CHECK(job["status"] == "queued");
  CHECK(job["attempts"] == 0);
  CHECK(job["waiting_for"] == "it is held: quarantined: ferry or its supervisor died each time it was started");
  daemon.post(path_of(id, "/release"));
  eventually([&] { return daemon.get(path_of(id))["phase"] == "running"; });
}
