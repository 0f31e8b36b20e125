// Several jobs in one run, and workers that stay warm, by the real daemon.
#include "tests/integration/daemon_process.hpp"

#include <csignal>
#include <fstream>
#include <set>
#include <sstream>

using namespace ferry;
using ferry::tests::daemon_process;
using ferry::tests::eventually;

namespace {

std::string path_of(std::int64_t id, const char* action = "") { return "/jobs/" + std::to_string(id) + action; }

std::string warm_type(const std::string& more = {}, const std::string& grace = "20s") {
  return R"(
[job_types.warm]
runner = "worker"
command = ["/usr/bin/python3", ")" FERRY_SCRIPTED_WORKER R"("]
warm_key = ["load"]
grace = ")" +
         grace + "\"\n" + more +
         R"(
[job_types.warm.batch]
max_items = 8
same = ["steps"]
within = { "weights.vis" = 0.1 }
)";
}

// Jobs of the type, submitted while the queue is paused, so that they meet.
std::vector<std::int64_t> submit_together(daemon_process& daemon, const std::vector<json>& params, const char* type = "warm") {
  daemon.post("/queue/pause");
  std::vector<std::int64_t> ids;
  for (const json& one : params)
    ids.push_back(daemon.post("/jobs", {{"type", type}, {"params", one}})["id"]);
  daemon.post("/queue/unpause");
  return ids;
}

std::set<std::int64_t> batches_of(daemon_process& daemon, const std::vector<std::int64_t>& ids) {
  std::set<std::int64_t> batches;
  for (const auto id : ids)
    batches.insert(daemon.get(path_of(id))["batch"].get<std::int64_t>());
  return batches;
}

} // namespace

TEST_CASE("compatible jobs run as one batch on a warm worker, and each has its own result, artifacts and history") {
  daemon_process daemon(warm_type(), 1);
  daemon.start();
  const auto ids = submit_together(daemon, {{{"value", 1}}, {{"value", 2}}, {{"value", 3}}, {{"value", 4}, {"steps", 9}}});
  std::set<json> pids;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const json job = daemon.finished(ids[i]);
    CAPTURE(job.dump());
    REQUIRE(job["status"] == "completed");
    CHECK(job["result"]["value"] == i + 1);
    CHECK(job["result"]["batch_size"] == (i < 3 ? 3 : 1));
    CHECK(job["attempts"] == 1);
    pids.insert(job["result"]["pid"]);
    CHECK(std::filesystem::exists(std::filesystem::path(job["directory"].get<std::string>()) / "made.txt"));
    CHECK(job["result"]["artifacts"][0]["path"] == "made.txt");
  }
  CHECK(pids.size() == 1); // the same worker
  CHECK(batches_of(daemon, ids).size() == 2);
}

TEST_CASE("tolerances hold between each two jobs of a batch, and other parameters to load mean another worker") {
  daemon_process daemon(warm_type(), 1);
  daemon.start();
  const auto vis = [](double value) { return json{{"weights", {{"vis", value}}}}; };
  const auto ids = submit_together(daemon, {vis(0.5), vis(0.6), vis(0.4), vis(0.55)});
  std::vector<json> done;
  for (const auto id : ids)
    done.push_back(daemon.finished(id));
  CHECK(done[0]["batch"] == done[1]["batch"]);
  CHECK(done[0]["batch"] == done[3]["batch"]);
  CHECK(done[0]["batch"] != done[2]["batch"]); // near to the first, too far from the second
  const std::int64_t other = daemon.post("/jobs", {{"type", "warm"}, {"params", {{"load", "other"}}}})["id"];
  CHECK(daemon.finished(other)["result"]["pid"] != done[0]["result"]["pid"]);
}

TEST_CASE("a job of a batch ends as soon as its own work is done") {
  daemon_process daemon(warm_type(), 1);
  daemon.start();
  const auto until = daemon.directory() / "go";
  const auto ids = submit_together(daemon, {{{"do", "done"}},
                                            {{"do", "fail"}, {"error", "bad prompt"}, {"kind", "input"}},
                                            {{"do", "wait"}, {"until", until.string()}}});
  CHECK(daemon.finished(ids[0])["status"] == "completed");
  const json failed = daemon.finished(ids[1]);
  CHECK(failed["status"] == "failed");
  CHECK(failed["failure"]["kind"] == "input");
  CHECK(failed["failure"]["message"] == "bad prompt");
  CHECK(daemon.get(path_of(ids[2]))["status"] == "running");
  CHECK(daemon.get("/status")["counts"]["running"] == 1);
  daemon.crash_and_start(); // the worker and its last job go on
  CHECK(daemon.get(path_of(ids[0]))["status"] == "completed");
  CHECK(daemon.get(path_of(ids[2]))["status"] == "running");
  std::ofstream(until) << "";
  const json last = daemon.finished(ids[2]);
  CHECK(last["status"] == "completed");
  CHECK(last["attempts"] == 1);
  const std::int64_t next = daemon.post("/jobs", {{"type", "warm"}})["id"];
  CHECK(daemon.finished(next)["result"]["pid"] == last["result"]["pid"]); // adopted warm
}

TEST_CASE(
    "of eight jobs one raises, one kills its process and one eats all memory: the others complete without paying an attempt") {
  daemon_process daemon(warm_type("retry = { signal = 0, oom = 0 }\n"), 1);
  daemon.start();
  std::vector<json> params(8, json::object());
  params[1] = {{"do", "fail"}, {"error", "it raised"}};
  params[4] = {{"do", "kill"}};
  params[6] = {{"do", "oom"}};
  const auto ids = submit_together(daemon, params);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const json job = daemon.finished(ids[i]);
    CAPTURE(i, job.dump());
    CHECK(job["attempts"] == 1);
    CHECK(job["retries"] == 0);
    if (i == 1)
      CHECK(job["failure"]["message"] == "it raised");
    else if (i == 4)
      CHECK(job["failure"]["kind"] == "signal");
    else if (i == 6)
      CHECK(job["failure"]["kind"] == "oom");
    else
      CHECK(job["status"] == "completed");
  }
  eventually([&] { return daemon.get("/status")["counts"]["running"] == 0; });
}

TEST_CASE("the division of a batch goes on after a crash of the daemon") {
  daemon_process daemon(warm_type("retry = { signal = 0 }\n"), 1);
  daemon.start();
  const auto until = daemon.directory() / "go";
  std::vector<json> params(4, {{"do", "wait"}, {"until", until.string()}});
  params[3] = {{"do", "kill"}};
  const auto ids = submit_together(daemon, params);
  eventually([&] { return daemon.get(path_of(ids[0]))["phase"] == "running"; });
  daemon.kill();
  std::ofstream(until) << "";
  daemon.start();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const json job = daemon.finished(ids[i]);
    CAPTURE(i, job.dump());
    CHECK(job["status"] == (i < 3 ? "completed" : "failed"));
    CHECK(job["attempts"] == 1);
  }
}

TEST_CASE("one job of a batch is cancelled, the others go on") {
  daemon_process daemon(warm_type(), 1);
  daemon.start();
  const auto until = daemon.directory() / "go";
  const auto ids = submit_together(daemon, {{{"do", "hang"}}, {{"do", "wait"}, {"until", until.string()}}});
  eventually([&] { return daemon.get(path_of(ids[0]))["phase"] == "running"; });
  daemon.post(path_of(ids[0], "/cancel"));
  CHECK(daemon.finished(ids[0])["status"] == "cancelled");
  CHECK(daemon.get(path_of(ids[1]))["status"] == "running");
  std::ofstream(until) << "";
  const json other = daemon.finished(ids[1]);
  CHECK(other["status"] == "completed");
  CHECK(other["attempts"] == 1);
}

TEST_CASE("a job that will not be cancelled costs the others their run, and no attempt") {
  daemon_process daemon(warm_type({}, "200ms"), 1);
  daemon.start();
  const auto ids = submit_together(daemon, {{{"do", "hang"}, {"deaf", true}}, {{"do", "done"}}});
  eventually([&] { return daemon.get(path_of(ids[0]))["phase"] == "running"; });
  daemon.post(path_of(ids[0], "/cancel"));
  CHECK(daemon.finished(ids[0])["status"] == "cancelled");
  const json other = daemon.finished(ids[1]);
  CHECK(other["status"] == "completed");
  CHECK(other["attempts"] == 1);
}

TEST_CASE("a batch with a job that is cancelled while all is suspended and resumed goes on without it") {
  daemon_process daemon(warm_type(), 1);
  daemon.start();
  const auto ids = submit_together(daemon, {{{"do", "hang"}, {"deaf", true}}, {{"do", "done"}}});
  eventually([&] { return daemon.get(path_of(ids[0]))["phase"] == "running"; });
  // Its worker heeds TERM.
  daemon.post(path_of(ids[0], "/cancel"));
  daemon.post("/queue/suspend");
  daemon.post("/queue/resume");
  CHECK(daemon.finished(ids[0])["status"] == "cancelled");
  const json other = daemon.finished(ids[1]);
  CHECK(other["status"] == "completed");
  CHECK(other["attempts"].get<int>() <= 2);
}

TEST_CASE("a worker that was started by another declaration of its type takes no jobs") {
  daemon_process daemon(warm_type("environment = { PALETTE = \"warm\" }\n"), 1);
  daemon.start();
  const auto pid = [&] { return daemon.finished(daemon.post("/jobs", {{"type", "warm"}})["id"])["result"]["pid"].get<int>(); };
  const int first = pid();
  daemon.crash_and_start();
  CHECK(pid() == first);
  daemon.kill();
  std::stringstream text;
  text << std::ifstream(daemon.config()).rdbuf();
  auto changed = text.str();
  changed.replace(changed.find("PALETTE = \"warm\""), 16, "PALETTE = \"cold\"");
  std::ofstream(daemon.config()) << changed;
  daemon.start();
  CHECK(pid() != first);
}

TEST_CASE("an idle worker gives its memory to whoever needs it, and one that is not used ends") {
  daemon_process daemon(warm_type("memory_mib = 700\nkeep_alive = \"1h\"\n") +
                            "[job_types.brief]\nrunner = \"worker\"\ncommand = [\"/usr/bin/python3\", \"" FERRY_SCRIPTED_WORKER
                            "\"]\nkeep_alive = \"0s\"\nmemory_mib = 400\n",
                        1);
  daemon.start();
  const auto pid_after = [&](const char* type) {
    return daemon.finished(daemon.post("/jobs", {{"type", type}})["id"])["result"]["pid"].get<int>();
  };
  const int first = pid_after("warm");
  CHECK(pid_after("warm") == first);
  const int brief = pid_after("brief"); // 700 + 400 > 1000: the idle one ends first
  eventually([&] { return ::kill(first, 0) != 0; });
  eventually([&] { return ::kill(brief, 0) != 0; }); // it is not kept
  CHECK(pid_after("warm") != first);
}

TEST_CASE("several jobs of a process type run in one process, which reads them from its spec") {
  daemon_process daemon(
      "[job_types.together]\ncommand = [\"sh\", \"-c\", 'echo \"$FERRY_JOB_ID\" > all; [ \"$FERRY_JOB_ID\" != \"1,2,3\" ]']\n"
      "[job_types.together.batch]\nmax_items = 3\n",
      1);
  daemon.start();
  const auto ids = submit_together(daemon, {json::object(), json::object(), json::object(), json::object()}, "together");
  for (const auto id : ids) {
    const json job = daemon.finished(id);
    CHECK(job["status"] == "completed"); // the batch of three failed and was run again in halves
    CHECK(job["attempts"] == 1);
  }
  CHECK(daemon.get(path_of(ids[0]))["batch"] == daemon.get(path_of(ids[1]))["batch"]);
  CHECK(daemon.get(path_of(ids[2]))["batch"] != daemon.get(path_of(ids[1]))["batch"]);
}

TEST_CASE("one job of a batch is suspended, the others go on; suspending everything frees the memory of idle workers too") {
  daemon_process daemon(warm_type("keep_alive = \"1h\"\n"), 1);
  daemon.start();
  const auto until = daemon.directory() / "go";
  const auto ids = submit_together(daemon, {{{"do", "hang"}}, {{"do", "wait"}, {"until", until.string()}}});
  eventually([&] { return daemon.get(path_of(ids[0]))["phase"] == "running"; });
  daemon.post(path_of(ids[0], "/suspend"));
  eventually([&] { return daemon.get(path_of(ids[0]))["held"] == true; });
  CHECK(daemon.get(path_of(ids[0]))["held_for"] == "suspended");
  CHECK(daemon.get(path_of(ids[1]))["status"] == "running");
  std::ofstream(until) << "";
  const json other = daemon.finished(ids[1]);
  CHECK(other["status"] == "completed");
  CHECK(other["attempts"] == 1);
  const int pid = other["result"]["pid"];
  CHECK(::kill(pid, 0) == 0); // warm
  daemon.post("/queue/suspend");
  eventually([&] { return ::kill(pid, 0) != 0; });
  daemon.post("/queue/resume");
  eventually([&] { return daemon.get(path_of(ids[0]))["phase"] == "running"; });
  daemon.post(path_of(ids[0], "/cancel"));
  CHECK(daemon.finished(ids[0])["status"] == "cancelled");
}

TEST_CASE("a batch that waits for memory is left by a cancelled job, and its limits do not count until it runs") {
  daemon_process daemon(warm_type("memory_mib = 700\nkeep_alive = \"1h\"\n") +
                            "[job_types.large]\nrunner = \"worker\"\ncommand = [\"/usr/bin/python3\", \"" FERRY_SCRIPTED_WORKER
                            "\"]\nmemory_mib = 600\nmax_run_time = \"1s\"\n[job_types.large.batch]\nmax_items = 4\n",
                        1);
  daemon.start();
  const json first = daemon.finished(daemon.post("/jobs", {{"type", "warm"}})["id"]);
  const int idle = first["result"]["pid"];
  REQUIRE(::kill(idle, SIGSTOP) == 0); // it will not heed TERM: the next has to wait until it is ended
  const auto ids = submit_together(daemon, {json::object(), json::object(), json::object()}, "large");
  eventually([&] { return daemon.get(path_of(ids[0]))["status"] == "running"; });
  daemon.post(path_of(ids[0], "/cancel"));
  CHECK(daemon.finished(ids[0])["status"] == "cancelled");
  for (const auto id : {ids[1], ids[2]}) {
    const json job = daemon.finished(id);
    CAPTURE(job.dump());
    CHECK(job["status"] == "completed");
    CHECK(job["attempts"] == 1);
  }
  CHECK(::kill(idle, 0) != 0);
}
