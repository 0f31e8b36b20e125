// Slurm as a device: batches that it runs, and what must hold when it, its node, or the daemon fails.
#include "tests/integration/slurm_cluster.hpp"
#include "tests/support/file_text.hpp"

#include <csignal>
#include <cstdlib>
#include <fstream>

using namespace ferry;
using ferry::tests::daemon_process;
using ferry::tests::eventually;
using ferry::tests::slurm_cluster;
using ferry::tests::text_of;

namespace {

const std::string types = R"(
[job_types.command]
grace = "2s"
retry.lost = 1
retry.delay = "10ms"
[job_types.brief]
command = ["sh", "-c", "{params.script}"]
max_run_time = "2s"
grace = "1s"
[job_types.brief.parameters]
required = ["script"]
properties.script = { type = "string" }
)";

// A Slurm, and a daemon that gives it two batches at most at once.
struct slurm_lab {
  slurm_cluster cluster;
  daemon_process daemon;

  explicit slurm_lab(const std::string& more = {})
      : daemon("[devices.slurm]\npartition = \"lab\"\ngres = \"gpu:1\"\nslots = 2\nmemory_mib = 300\npoll = \"200ms\"\n" + more +
               types) {
    daemon.start();
    eventually([&] { return trouble() == ""; });
  }

  json device() {
    const json status = daemon.get("/status");
    for (const json& one : status["devices"])
      if (one["id"] == "slurm")
        return one;
    return nullptr;
  }
  std::string trouble() {
    const json why = device()["out_of_service"];
    return why.is_string() ? why.get<std::string>() : std::string();
  }
  json job(std::int64_t id) { return daemon.get("/jobs/" + std::to_string(id)); }
  std::string log(std::int64_t id) {
    const auto answer = daemon.connect()->send({"GET", "/jobs/" + std::to_string(id) + "/log"});
    return answer ? answer->body : to_string(answer.error());
  }
  std::filesystem::path run_of(std::int64_t id) {
    return daemon.data() / "runs" / std::to_string(job(id)["batch"].get<std::int64_t>());
  }
  std::filesystem::path file(const std::string& name) const { return daemon.directory() / name; }

  // A job that notes that it began, and ends when it is let go.
  std::int64_t submit_held(const std::string& name, const std::string& then = ":") {
    return daemon.submit_script("echo begin >> " + file(name).string() + "; while ! test -e " + file(name).string() +
                                ".go; do sleep 0.05; done; " + then);
  }
  void let_go(const std::string& name) const { std::ofstream(file(name).string() + ".go") << ""; }
  int executions(const std::string& name) const {
    const auto text = text_of(file(name));
    return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
  }
  void wait_until_it_waits(std::int64_t id) {
    eventually([&] {
      const json why = job(id)["waiting_for"];
      return why.is_string() && why.get<std::string>().find("waits in its queue") != std::string::npos;
    });
  }
  [[nodiscard]] std::string logs() const { return text_of(daemon.directory() / "ferryd.log") + cluster.log(); }
};

#define NEED_SLURM()                                                                                                               \
  if (const auto missing = slurm_cluster::obstacle(); !missing.empty())                                                            \
  SKIP(missing)

} // namespace

TEST_CASE("a job runs in Slurm, and its log, progress, result and files are there") {
  NEED_SLURM();
  slurm_lab lab;
  CHECK(lab.device()["kind"] == "gpu");
  CHECK(lab.device()["slots"] == 2);
  const auto go = lab.file("go").string();
  const auto id = lab.daemon.submit_script("echo hello from job $SLURM_JOB_ID with GPU $CUDA_VISIBLE_DEVICES; echo "
                                           "'{\"type\":\"progress\",\"value\":0.25}' >> $FERRY_EVENTS; "
                                           "while ! test -e " +
                                           go +
                                           "; do sleep 0.05; done; echo content > out.txt; "
                                           "echo '{\"type\":\"done\",\"result\":{\"answer\":42}}' >> $FERRY_EVENTS");
  eventually([&] { return lab.job(id)["progress"].is_object() && lab.job(id)["progress"]["fraction"] == 0.25; });
  CHECK(lab.job(id)["phase"] == "running");
  CHECK(lab.device()["slots_used"] == 1);
  std::ofstream(go) << "";
  const json job = lab.daemon.finished(id);
  INFO(job.dump(2) << lab.logs());
  REQUIRE(job["status"] == "completed");
  CHECK(job["device"] == "slurm");
  CHECK(job["result"]["answer"] == 42);
  CHECK(job["result"]["artifacts"][0]["path"] == "out.txt");
  CHECK(job["attempts"] == 1);
  CHECK(lab.log(id) == "hello from job 1 with GPU 0\n");
  CHECK(text_of(lab.run_of(id) / "jobs" / std::to_string(id) / "out.txt") == "content\n");
  eventually([&] { return lab.device()["slots_used"] == 0; });
  CHECK(lab.daemon.finished(lab.daemon.submit_script("exit 7"))["failure"]["exit_status"] == 7);
}

TEST_CASE("Slurm has as many batches at once as the device has slots") {
  NEED_SLURM();
  slurm_lab lab;
  std::vector<std::int64_t> ids;
  for (const char* name : {"one", "two", "three"})
    ids.push_back(lab.submit_held(name));
  eventually([&] { return lab.executions("one") == 1 && lab.executions("two") == 1; });
  CHECK(lab.job(ids[2])["status"] == "queued");
  CHECK(lab.device()["slots_used"] == 2);
  lab.let_go("one");
  eventually([&] { return lab.executions("three") == 1; });
  lab.let_go("two");
  lab.let_go("three");
  for (const auto id : ids)
    CHECK(lab.daemon.finished(id)["status"] == "completed");
  CHECK(lab.cluster.starts() == 3);
}

TEST_CASE("a job that waits in Slurm's queue says why, and once cancelled it never starts") {
  NEED_SLURM();
  slurm_lab lab;
  lab.cluster.drain_node();
  const auto id = lab.submit_held("diary");
  lab.wait_until_it_waits(id);
  CHECK(lab.job(id)["status"] == "running");
  CHECK(lab.job(id)["phase"] == "starting");
  lab.daemon.post("/jobs/" + std::to_string(id) + "/cancel");
  CHECK(lab.daemon.finished(id)["status"] == "cancelled");
  eventually([] { return slurm_cluster::in_state("CANCELLED").size() == 1; });
  lab.cluster.resume_node();
  lab.let_go("next");
  CHECK(lab.daemon.finished(lab.submit_held("next"))["status"] == "completed");
  CHECK(lab.executions("diary") == 0);
  CHECK(lab.cluster.starts() == 1);
}

TEST_CASE("P4 what was taken back while Slurm did not answer never starts") {
  NEED_SLURM();
  slurm_lab lab;
  lab.cluster.drain_node();
  const auto id = lab.submit_held("diary");
  lab.wait_until_it_waits(id);
  lab.cluster.stop_controller();
  lab.daemon.post("/jobs/" + std::to_string(id) + "/cancel");
  CHECK(lab.daemon.finished(id)["status"] == "cancelled");
  lab.daemon.kill(); // nobody tells Slurm
  lab.cluster.start_controller();
  lab.cluster.resume_node();
  eventually([] { // its supervisor found nothing to do, or a scancel that the daemon had begun got through
    return slurm_cluster::in_state("COMPLETED").size() + slurm_cluster::in_state("CANCELLED").size() == 1;
  });
  CHECK(lab.executions("diary") == 0);
  CHECK_FALSE(std::filesystem::exists(lab.daemon.data() / "runs" / "1" / "shim.json"));
}

TEST_CASE("P5 a job that runs in Slurm is cancelled to its last process") {
  NEED_SLURM();
  slurm_lab lab;
  const auto pid_file = lab.file("pid");
  const auto id = lab.daemon.submit_script("trap '' TERM; setsid sleep 1000 & echo $! > " + pid_file.string() + "; wait; wait");
  eventually([&] { return text_of(pid_file).ends_with("\n"); });
  const int pid = std::stoi(text_of(pid_file));
  lab.daemon.post("/jobs/" + std::to_string(id) + "/cancel");
  const json job = lab.daemon.finished(id);
  INFO(job.dump(2) << lab.logs());
  CHECK(job["status"] == "cancelled");
  CHECK_FALSE(std::filesystem::exists("/proc/" + std::to_string(pid)));
}

TEST_CASE("P3 P4 what waits or runs in Slurm outlives the daemon and is taken up again") {
  NEED_SLURM();
  slurm_lab lab;
  SECTION("while it waits") {
    lab.cluster.drain_node();
    const auto id = lab.submit_held("diary");
    lab.wait_until_it_waits(id);
    SECTION("and what sbatch answered was written down") {}
    SECTION("and the daemon died before it could write down what sbatch answered") {
      lab.daemon.kill();
      std::filesystem::remove(lab.daemon.data() / "runs" / "1" / "slurm.json");
      lab.daemon.start();
    }
    lab.daemon.crash_and_start();
    CHECK(lab.job(id)["status"] == "running");
    lab.wait_until_it_waits(id);
    lab.cluster.resume_node();
    eventually([&] { return lab.executions("diary") == 1; });
    lab.let_go("diary");
    CHECK(lab.daemon.finished(id)["status"] == "completed");
    CHECK(lab.job(id)["attempts"] == 1);
  }
  SECTION("while it runs") {
    const auto id = lab.submit_held("diary", "echo the end");
    eventually([&] { return lab.executions("diary") == 1; });
    lab.daemon.kill();
    SECTION("and goes on") {
      lab.daemon.start();
      eventually([&] { return lab.job(id)["phase"] == "running"; });
      lab.let_go("diary");
    }
    SECTION("and ends while no daemon is there") {
      lab.let_go("diary");
      eventually([] { return slurm_cluster::in_state("COMPLETED").size() == 1; });
      lab.daemon.start();
    }
    const json job = lab.daemon.finished(id);
    INFO(job.dump(2) << lab.logs());
    CHECK(job["status"] == "completed");
    CHECK(job["attempts"] == 1);
    CHECK(lab.log(id) == "the end\n");
  }
  CHECK(lab.executions("diary") == 1);
  CHECK(lab.cluster.starts() == 1);
}

TEST_CASE("P4 a batch whose submission was under way when the daemon died runs once") {
  NEED_SLURM();
  // An sbatch that is in no hurry: it goes on when the daemon is dead, and submits what the next daemon has long queued again.
  const ferry::tests::scratch_directory programs;
  const auto slow = programs.path() / "sbatch";
  std::ofstream(slow) << "#!/bin/sh\ntouch " << programs.path().string() << "/begun\nwhile ! test -e " << programs.path().string()
                      << "/go; do sleep 0.05; done\nexec /usr/bin/sbatch \"$@\"\n";
  std::filesystem::permissions(slow, std::filesystem::perms::owner_all);
  const std::string path = std::getenv("PATH");
  slurm_lab lab;
  lab.daemon.kill();
  ::setenv("PATH", (programs.path().string() + ":" + path).c_str(), 1);
  lab.daemon.start();
  const auto id = lab.submit_held("diary");
  lab.daemon.wait_for_file(programs.path() / "begun");
  lab.daemon.kill();
  ::setenv("PATH", path.c_str(), 1);
  lab.daemon.start();
  eventually([&] { return lab.executions("diary") == 1; }); // it was given to Slurm anew
  std::ofstream(programs.path() / "go") << "";
  eventually([] { // the late one comes to nothing
    return slurm_cluster::in_state("COMPLETED").size() + slurm_cluster::in_state("CANCELLED").size() == 1;
  });
  lab.let_go("diary");
  const json job = lab.daemon.finished(id);
  INFO(job.dump(2) << lab.logs());
  CHECK(job["status"] == "completed");
  CHECK(job["attempts"] == 1);
  CHECK(job["batch"] == 2);
  CHECK(lab.executions("diary") == 1);
}

TEST_CASE("while Slurm does not answer what it has goes on, ends are seen, and nothing new is given to it") {
  NEED_SLURM();
  slurm_lab lab;
  const auto first = lab.submit_held("first"), second = lab.submit_held("second");
  eventually([&] { return lab.executions("first") == 1 && lab.executions("second") == 1; });
  lab.cluster.stop_controller();
  eventually([&] { return !lab.trouble().empty(); });
  const auto third = lab.submit_held("third");
  lab.let_go("first");
  CHECK(lab.daemon.finished(first)["status"] == "completed");
  lab.daemon.crash_and_start();
  CHECK(lab.job(second)["status"] == "running");
  CHECK(lab.job(third)["status"] == "queued");
  lab.cluster.start_controller();
  eventually([&] { return lab.executions("third") == 1; });
  CHECK(lab.job(second)["status"] == "running");
  lab.let_go("second");
  lab.let_go("third");
  for (const auto id : {second, third}) {
    const json job = lab.daemon.finished(id);
    INFO(job.dump(2) << lab.logs());
    CHECK(job["status"] == "completed");
    CHECK(job["attempts"] == 1);
  }
  CHECK(lab.executions("second") == 1);
  CHECK(lab.cluster.starts() == 3);
}

TEST_CASE("a job whose node fails is lost, and the retry policy decides") {
  NEED_SLURM();
  slurm_lab lab;
  const auto id = lab.submit_held("diary");
  eventually([&] { return lab.executions("diary") == 1; });
  lab.cluster.fail_node();
  eventually([&] { return lab.job(id)["retries"] == 1; });
  lab.cluster.resume_node();
  eventually([&] { return lab.executions("diary") == 2; });
  lab.cluster.fail_node();
  const json job = lab.daemon.finished(id);
  INFO(job.dump(2) << lab.logs());
  CHECK(job["status"] == "failed");
  CHECK(job["failure"]["kind"] == "lost");
  CHECK(job["failure"]["message"].get<std::string>().find("NODE_FAIL") != std::string::npos);
}

TEST_CASE("what somebody cancels in Slurm fails, and is not tried again") {
  NEED_SLURM();
  slurm_lab lab;
  std::int64_t id = 0;
  SECTION("while it runs") {
    id = lab.submit_held("diary");
    eventually([&] { return lab.executions("diary") == 1; });
  }
  SECTION("while it waits") {
    lab.cluster.drain_node();
    id = lab.submit_held("diary");
    lab.wait_until_it_waits(id);
  }
  CHECK(ferry::tests::run_program({"scancel", "1"}).status == 0);
  const json job = lab.daemon.finished(id);
  INFO(job.dump(2) << lab.logs());
  CHECK(job["status"] == "failed");
  CHECK(job["failure"]["message"].get<std::string>().find("somebody cancelled it in Slurm: Slurm job 1") != std::string::npos);
  CHECK(job["attempts"] == 1);
}

TEST_CASE("a type's max_run_time counts from when Slurm has started the job") {
  NEED_SLURM();
  slurm_lab lab;
  lab.cluster.drain_node();
  const auto submit = [&](const std::string& script) {
    return lab.daemon.post("/jobs", {{"type", "brief"}, {"params", {{"script", script}}}}).at("id").get<std::int64_t>();
  };
  const auto quick = submit("sleep 0.5"), slow = submit("sleep 1000");
  lab.wait_until_it_waits(quick);
  std::this_thread::sleep_for(std::chrono::milliseconds(2500));
  lab.daemon.crash_and_start();
  lab.wait_until_it_waits(quick);
  lab.cluster.resume_node();
  CHECK(lab.daemon.finished(quick)["status"] == "completed");
  const json job = lab.daemon.finished(slow);
  INFO(job.dump(2) << lab.logs());
  CHECK(job["status"] == "failed");
  CHECK(job["failure"]["kind"] == "timeout");
}

TEST_CASE("a batch that sbatch refuses is queued again, and the device says why") {
  NEED_SLURM();
  slurm_lab lab("extra = [\"--qos=none-such\", \"--constraint=none-such\"]\n");
  const auto id = lab.submit_held("diary");
  eventually([&] { return lab.trouble().find("sbatch") != std::string::npos; });
  eventually([&] { return lab.job(id)["status"] == "queued" && lab.job(id)["attempts"] == 0; });
  CHECK_FALSE(std::filesystem::exists(lab.daemon.data() / "runs" / "1"));
  CHECK(lab.cluster.starts() == 0);
}

// Slurm counts in minutes, and looks twice in one: not run by default.
TEST_CASE("a job that Slurm's time limit ends has timed out", "[.minutes]") {
  NEED_SLURM();
  slurm_lab lab("time_limit = \"1m\"\n");
  const auto id = lab.daemon.submit_script("echo content > out.txt; sleep 1000");
  const json job = lab.daemon.finished(id);
  INFO(job.dump(2) << lab.logs());
  CHECK(job["status"] == "failed");
  CHECK(job["failure"]["kind"] == "timeout");
  CHECK(job["failure"]["message"] == "Slurm's time limit ended Slurm job 1 on localhost (TIMEOUT)");
  CHECK(job["result"]["artifacts"][0]["path"] == "out.txt");
}
