// Nodes: workers that stay warm there, attempts, and job types that a node does not have.
#include "tests/integration/node_lab.hpp"
#include "tests/support/file_text.hpp"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <set>

using namespace ferry;
using ferry::tests::eventually;
using ferry::tests::far_type;
using ferry::tests::head_with_nodes;
using ferry::tests::node_process;
using ferry::tests::text_of;

namespace {

const std::string warm_type = R"([job_types.warm]
runner = "worker"
command = ["/usr/bin/python3", ")" FERRY_SCRIPTED_WORKER R"("]
device = "cpu"
memory_mib = 2000
warm_key = ["load"]
keep_alive = "1h"
grace = "20s"
[job_types.warm.batch]
max_items = 8
)";

struct lab_with_workers : head_with_nodes {
  lab_with_workers() : head_with_nodes({}, warm_type), alpha(known, port, "alpha", far_type + warm_type, 1) {
    alpha.start();
    wait_for("alpha");
  }
  // Submitted while the queue is paused, so that they meet.
  std::vector<std::int64_t> submit_together(const std::vector<json>& params) {
    head.post("/queue/pause");
    std::vector<std::int64_t> ids;
    for (const json& one : params)
      ids.push_back(head.post("/jobs", {{"type", "warm"}, {"params", one}})["id"]);
    head.post("/queue/unpause");
    return ids;
  }
  json completed(std::int64_t id) {
    json job = head.finished(id);
    INFO(job.dump(2) << alpha.log());
    REQUIRE(job["status"] == "completed");
    CHECK(job["attempts"] == 1);
    CHECK(job["device"] == "alpha:cpu");
    return job;
  }
  int pid_after(const std::vector<std::int64_t>& ids) {
    std::set<int> pids;
    for (const auto id : ids)
      pids.insert(completed(id)["result"]["pid"].get<int>());
    REQUIRE(pids.size() == 1);
    return *pids.begin();
  }
  // Nothing of jobs and workers is left on the node when nothing is to run.
  void ends_empty() {
    head.post("/queue/suspend");
    eventually([&] { return alpha.job_processes().empty(); });
  }

  node_process alpha;
};

bool is_gone(int pid) { return ::kill(pid, 0) != 0; }

} // namespace

TEST_CASE("a job of a batch on a node ends, with its files, while the others of the batch go on") {
  lab_with_workers lab;
  const auto until = lab.scratch.path() / "go";
  const auto ids = lab.submit_together({{{"value", "early"}},
                                        {{"do", "fail"}, {"error", "bad prompt"}, {"kind", "input"}},
                                        {{"do", "wait"}, {"until", until.string()}, {"value", "late"}}});
  const json first = lab.completed(ids[0]);
  CHECK(text_of(std::filesystem::path(first["directory"].get<std::string>()) / "made.txt") == "early");
  const json failed = lab.head.finished(ids[1]);
  CHECK(failed["status"] == "failed");
  CHECK(failed["failure"]["message"] == "bad prompt");
  CHECK(lab.job(ids[2])["status"] == "running");
  SECTION("nothing else happens") {}
  SECTION("the node's daemon dies meanwhile") {
    lab.alpha.kill();
    lab.alpha.start();
  }
  SECTION("the head dies meanwhile") {
    lab.head.crash_and_start();
    CHECK(lab.job(ids[0])["status"] == "completed");
    CHECK(lab.job(ids[1])["status"] == "failed");
  }
  SECTION("both die meanwhile") {
    lab.alpha.kill();
    lab.head.crash_and_start();
    lab.alpha.start();
  }
  std::ofstream(until) << "";
  const json last = lab.completed(ids[2]);
  CHECK(last["result"]["pid"] == first["result"]["pid"]);
  CHECK(text_of(std::filesystem::path(last["directory"].get<std::string>()) / "made.txt") == "late");
  lab.ends_empty();
}

TEST_CASE("a worker that a new head knows nothing of ends, and jobs get another") {
  lab_with_workers lab;
  const int pid = lab.pid_after(lab.submit_together({{{"value", 1}}}));
  lab.head.crash_and_start();
  lab.wait_for("alpha");
  eventually([&] { return is_gone(pid); });
  CHECK(lab.pid_after(lab.submit_together({{{"value", 2}}})) != pid);
  lab.ends_empty();
}

TEST_CASE("a worker that dies while its node has no daemon is no worker any more when the daemon is back") {
  lab_with_workers lab;
  const int pid = lab.pid_after(lab.submit_together({{{"value", 1}}}));
  lab.alpha.kill();
  REQUIRE(::kill(pid, SIGKILL) == 0);
  eventually([&] { return is_gone(pid); });
  lab.alpha.start();
  CHECK(lab.pid_after(lab.submit_together({{{"value", 2}}})) != pid);
  lab.ends_empty();
}

TEST_CASE("a job on a node is tried again as its policy says, and each attempt has its own log") {
  const std::string flaky = R"([job_types.flaky]
command = ["sh", "-c", "{params.script}"]
device = "cpu"
memory_mib = 2000
retry.exit_status = 5
retry.delay = "10ms"
retry.delay_max = "10ms"
[job_types.flaky.parameters]
required = ["script"]
properties.script = { type = "string" }
)";
  head_with_nodes lab({}, flaky);
  node_process alpha(lab.known, lab.port, "alpha", flaky);
  alpha.start();
  lab.wait_for("alpha");
  const auto tries = (lab.scratch.path() / "tries").string();
  const std::int64_t id = lab.head.post(
      "/jobs", {{"type", "flaky"},
                {"params", {{"script", "echo x >> " + tries + "; n=$(wc -l < " + tries + "); echo try $n; [ $n = 3 ]"}}}})["id"];
  const json job = lab.head.finished(id);
  INFO(job.dump(2));
  CHECK(job["status"] == "completed");
  CHECK(job["attempts"] == 3);
  std::vector<std::string> logs;
  for (const auto& run : std::filesystem::directory_iterator(lab.head.data() / "runs"))
    if (std::filesystem::exists(run.path() / "output.log"))
      logs.push_back(text_of(run.path() / "output.log"));
  std::sort(logs.begin(), logs.end());
  CHECK(logs == std::vector<std::string>{"try 1\n", "try 2\n", "try 3\n"});
  eventually([&] { return alpha.run_directories() == 0; });
}

TEST_CASE("a job that fails on a node fails with its exit status, its log and its files") {
  head_with_nodes lab;
  node_process alpha(lab.known, lab.port, "alpha", far_type);
  alpha.start();
  lab.wait_for("alpha");
  const auto id = lab.submit("echo out; echo err >&2; echo kept > kept.txt; exit 7");
  const json job = lab.head.finished(id);
  INFO(job.dump(2));
  CHECK(job["status"] == "failed");
  CHECK(job["failure"]["exit_status"] == 7);
  CHECK(text_of(lab.head.data() / "runs" / std::to_string(job["batch"].get<std::int64_t>()) / "output.log") == "out\nerr\n");
  CHECK(text_of(std::filesystem::path(job["directory"].get<std::string>()) / "kept.txt") == "kept\n");
  eventually([&] { return alpha.run_directories() == 0; });
}

TEST_CASE("a job of a type that the node does not have waits for another device, and is told so") {
  const std::string near = "[job_types.near]\ncommand = [\"true\"]\ndevice = \"cpu\"\nmemory_mib = ";
  head_with_nodes lab({}, near + "2000\n");
  node_process alpha(lab.known, lab.port, "alpha", far_type);
  alpha.start();
  lab.wait_for("alpha");
  // No machine could ever run it: the head is too small, and the node does not have it.
  const auto refused = lab.head.refused("POST", "/jobs", json{{"type", "near"}}.dump());
  INFO(to_string(refused));
  CHECK(to_string(refused).find("'near' can never run here") != std::string::npos);
  CHECK(lab.head.finished(lab.submit("exit 0"))["status"] == "completed");
  // A node that does comes, and may go.
  node_process beta(lab.known, lab.port, "beta", far_type + near + "2000\n");
  beta.start();
  lab.wait_for("beta");
  lab.head.post("/nodes/beta/drain");
  const std::int64_t id = lab.head.post("/jobs", {{"type", "near"}})["id"];
  const auto explained = lab.head.get("/jobs/" + std::to_string(id) + "/explanation").dump();
  CAPTURE(explained);
  CHECK(explained.find("beta is drained") != std::string::npos);
  lab.head.post("/nodes/beta/resume");
  CHECK(lab.head.finished(id)["device"] == "beta:cpu");
}

TEST_CASE("jobs of a batch share a warm worker on a node, the next batch finds it warm, and each has its own result and files") {
  lab_with_workers lab;
  const auto ids = lab.submit_together({{{"value", 1}}, {{"value", 2}}, {{"value", 3}}});
  const int pid = lab.pid_after(ids);
  std::set<json> batches;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const json job = lab.completed(ids[i]);
    CHECK(job["result"]["value"] == i + 1);
    CHECK(job["result"]["batch_size"] == 3);
    CHECK(job["result"]["artifacts"][0]["path"] == "made.txt");
    CHECK(text_of(std::filesystem::path(job["directory"].get<std::string>()) / "made.txt") == std::to_string(i + 1));
    batches.insert(job["batch"]);
  }
  CHECK(batches.size() == 1);
  INFO("HEAD\n" << text_of(lab.head.directory() / "ferryd.log") << "NODE\n" << lab.alpha.log());
  CHECK(lab.pid_after(lab.submit_together({{{"value", 4}}, {{"value", 5}}})) == pid);
  const int other = lab.pid_after(lab.submit_together({{{"load", "other"}}}));
  CHECK(other != pid);
  lab.ends_empty();
  eventually([&] { return is_gone(pid); });
  eventually([&] { return is_gone(other); });
}

TEST_CASE("a warm worker on a node is found again by the daemon that starts there next") {
  lab_with_workers lab;
  const int pid = lab.pid_after(lab.submit_together({{{"value", 1}}}));
  lab.alpha.kill();
  CHECK_FALSE(is_gone(pid));
  lab.alpha.start();
  const int second = lab.pid_after(lab.submit_together({{{"value", 2}}, {{"value", 3}}}));
  INFO(lab.alpha.log() << "\nHEAD\n" << text_of(lab.head.directory() / "ferryd.log"));
  CHECK(second == pid);
  CHECK(lab.alpha.stop() == 0);
  CHECK_FALSE(is_gone(pid));
  lab.alpha.start();
  lab.wait_for("alpha");
  CHECK(lab.pid_after(lab.submit_together({{{"value", 4}}})) == pid);
  lab.ends_empty();
}

TEST_CASE("what was committed to a worker on a node whose shim is killed runs on another, and leaves nothing there") {
  const std::string quick = "[job_types.quick]\nrunner = \"worker\"\ncommand = [\"/usr/bin/python3\", \"" FERRY_SCRIPTED_WORKER
                            "\"]\ndevice = \"cpu\"\nmemory_mib = 2000\nkeep_alive = \"1h\"\nretry.signal = 9\nretry.lost = 9\n"
                            "retry.delay = \"10ms\"\n";
  head_with_nodes lab({}, quick);
  node_process alpha(lab.known, lab.port, "alpha", quick, 1);
  alpha.start();
  lab.wait_for("alpha");
  const auto submit = [&](const json& params) -> std::int64_t {
    return lab.head.post("/jobs", {{"type", "quick"}, {"params", params}})["id"];
  };
  const auto go = lab.scratch.path() / "go";
  std::int64_t front = 0, next = 0;
  for (bool committed = false; !committed;) { // a machine that is too busy commits nothing ahead
    for (int i = 0; i < 12; ++i)
      CHECK(lab.head.finished(submit(json::object()))["status"] == "completed");
    lab.head.post("/queue/pause");
    front = submit({{"do", "wait"}, {"until", go.string()}}), next = submit(json::object());
    lab.head.post("/queue/unpause");
    eventually([&] {
      committed = lab.job(next)["status"] == "running";
      return committed || lab.job(front)["phase"] == "running";
    });
    if (committed)
      break;
    for (const auto id : {next, front})
      lab.head.post("/jobs/" + std::to_string(id) + "/cancel");
    static_cast<void>(lab.head.finished(front));
  }
  const auto folder = *std::filesystem::directory_iterator(alpha.data() / "node" / "workers");
  const auto shim = json::parse(text_of(folder.path() / "shim.json"));
  REQUIRE(::kill(shim["pid"].get<int>(), SIGKILL) == 0);
  std::ofstream(go).flush();
  for (const auto id : {front, next})
    CHECK(lab.head.finished(id)["status"] == "completed");
  INFO(alpha.log());
  eventually([&] { return alpha.run_directories() == 0; });
}
