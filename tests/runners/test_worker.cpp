// Workers under the real shim: warm from batch to batch, adopted after a restart, and whatever they break costs their batch alone.
#include "run_harness.hpp"
#include "runners/lease_file.hpp"
#include "scheduling/outcome.hpp"

#include <array>
#include <catch2/catch_all.hpp>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <sys/wait.h>
#include <unistd.h>

using namespace ferry;
using namespace ferry::runners;
using namespace ferry::runners::test;
using namespace std::chrono_literals;

namespace {

// Launches batches on workers; jobs are numbered 10 × batch + 1, 2, …
class workers : public harness {
public:
  using harness::harness;

  run_spec batch_on(worker_id worker, const std::vector<json>& jobs, const json& warm = json::object()) {
    run_spec made = spec({"/usr/bin/python3", FERRY_SCRIPTED_WORKER});
    if (worker.is_none())
      worker = worker_id{made.batch.value};
    made.directory = control().worker_directory_of(worker);
    made.environment = {{"PATH", "/usr/local/bin:/usr/bin:/bin"},
                        {"FERRY_WORKER_DIR", made.directory.string()},
                        {"FERRY_WARM_PARAMS", warm.dump()}};
    made.grace = 30s;
    made.worker = worker_place{.id = worker, .directory = made.directory, .warm = warm.dump(), .ready_timeout = 30s};
    made.jobs.clear();
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      const job_id id{made.batch.value * 10 + static_cast<std::int64_t>(i) + 1};
      made.jobs.push_back({id, jobs[i], directory(made.batch) / "jobs" / to_string(id)});
    }
    return made;
  }
  batch_id run(worker_id worker, const std::vector<json>& jobs, const json& warm = json::object()) {
    const auto made = batch_on(worker, jobs, warm);
    launch(made);
    return made.batch;
  }
  // After an adoption: it may not be connected yet.
  batch_id run_when_connected(worker_id worker, const std::vector<json>& jobs) {
    const auto made = batch_on(worker, jobs);
    for (const auto until = std::chrono::steady_clock::now() + 60s; std::chrono::steady_clock::now() < until;)
      if (control().launch(made))
        return made.batch;
    throw std::runtime_error("the worker is not connected");
  }
};

worker_id worker_of(batch_id first) { return {first.value}; }

std::map<std::int64_t, json> results(const history& h) {
  std::map<std::int64_t, json> found;
  for (const auto& done : h.all<run_job_done>())
    found.emplace(done.job.value, done.result);
  return found;
}

run_exited exit_of(const history& h) {
  REQUIRE(h.all<run_exited>().size() == 1);
  return h.all<run_exited>().front();
}

} // namespace

TEST_CASE("a worker is loaded once, runs batch after batch, and each job has its own result and files") {
  workers w;
  const auto first = w.run({}, {{{"value", "a"}}, {{"value", "b"}}});
  const auto one = w.wait_over(first);
  CHECK(one.all<run_loaded>().size() == 1);
  CHECK_FALSE(one.all<run_started>().at(0).warm);
  auto made = results(one);
  REQUIRE(made.size() == 2);
  CHECK(made.at(11)["value"] == "a");
  CHECK(made.at(12)["value"] == "b");
  CHECK(made.at(11)["batch_size"] == 2);
  for (const auto& done : one.all<run_job_done>()) {
    REQUIRE(done.files.size() == 1);
    CHECK(done.files[0].path == "made.txt");
  }
  CHECK(read_text(w.directory(first) / "jobs" / "12" / "made.txt") == "b");
  CHECK(exit_of(one).exit_status == 0);
  CHECK_FALSE(exit_of(one).broken);
  CHECK_FALSE(exit_of(one).worker_ended);

  const auto second = w.run(worker_of(first), {{{"value", "c"}}});
  const auto two = w.wait_over(second);
  CHECK(two.all<run_loaded>().empty());
  CHECK(two.all<run_started>().at(0).warm);
  CHECK(results(two).at(21)["pid"] == made.at(11)["pid"]);
  CHECK(w.output(first).find("loading") != std::string::npos);
  CHECK(w.output(second) == "job 21: done\n");
}

TEST_CASE("the jobs of a batch end one by one, and a failed one does not touch the others") {
  workers w;
  const auto until = w.directory({1}) / "jobs" / "go";
  const auto batch = w.run({}, {{{"do", "fail"}, {"error", "bad prompt"}, {"kind", "input"}},
                                {{"do", "done"}},
                                {{"do", "wait"}, {"until", until.string()}}});
  const auto early = w.wait(batch, [](const history& h) { return h.all<run_job_done>().size() == 1; });
  REQUIRE(early.all<run_job_failed>().size() == 1);
  CHECK(early.all<run_job_failed>()[0].job == job_id{11});
  CHECK(early.all<run_job_failed>()[0].why.kind == failure_kind::input);
  CHECK(early.reports_over == 0);
  std::ofstream(until) << "";
  const auto all = w.wait_over(batch);
  CHECK(results(all).size() == 2);
  CHECK_FALSE(exit_of(all).broken);
}

TEST_CASE("what is cancelled ends alone, and its worker stays warm") {
  workers w;
  const auto batch = w.run({}, {{{"do", "hang"}}, {{"do", "done"}}});
  w.wait(batch, [](const history& h) { return !h.all<run_loaded>().empty(); });
  w.control().stop(batch, "cancel", 30s, {job_id{11}});
  const auto all = w.wait_over(batch);
  REQUIRE(all.all<run_job_cancelled>().size() == 1);
  CHECK(all.all<run_job_cancelled>()[0].job == job_id{11});
  CHECK(results(all).contains(12));
  CHECK(exit_of(all).stopped_jobs == std::vector{job_id{11}});
  CHECK(results(w.wait_over(w.run(worker_of(batch), {json::object()}))).size() == 1);
}

TEST_CASE("a job cancelled while its worker loads never reaches it, and the others of its batch do") {
  workers w;
  const scratch folder;
  const auto go = folder.path() / "go";
  const auto batch = w.run({}, {{{"do", "hang"}}, {{"do", "done"}}}, {{"load", "wait:" + go.string()}});
  w.wait(batch, [](const history& h) { return !h.all<run_started>().empty(); });
  w.control().stop(batch, "cancel", 30s, {job_id{11}});
  w.wait(batch, [](const history& h) { return !h.all<run_job_cancelled>().empty(); });
  std::ofstream(go).flush();
  const auto all = w.wait_over(batch);
  CHECK(all.all<run_job_cancelled>()[0].job == job_id{11});
  CHECK(results(all).contains(12));
  CHECK(results(all)[12]["batch_size"] == 1);
  CHECK_FALSE(exit_of(all).worker_ended);
  const auto lonely = w.run({}, {{{"do", "done"}}}, {{"load", "never"}});
  w.wait(lonely, [](const history& h) { return !h.all<run_started>().empty(); });
  w.control().stop(lonely, "cancel", 30s, {job_id{21}});
  CHECK(exit_of(w.wait_over(lonely)).worker_ended); // nobody needs what it loads
}

TEST_CASE("a run that was launched next begins when its worker is done with the one before, and can be withdrawn until then") {
  workers w;
  const scratch folder;
  const auto go = folder.path() / "go";
  const auto first = w.run({}, {{{"do", "wait"}, {"until", go.string()}}});
  w.wait(first, [](const history& h) { return !h.all<run_loaded>().empty(); });
  const auto second = w.batch_on(worker_of(first), {{{"do", "done"}}}), third = w.batch_on(worker_of(first), {{{"do", "done"}}}),
             fourth = w.batch_on(worker_of(first), {{{"do", "done"}}});
  for (const auto& next : {second, third, fourth})
    REQUIRE(w.control().launch_next(next));
  CHECK(w.control().launch(w.batch_on(worker_of(first), {json::object()})).error().code == error_code::unavailable);
  CHECK(w.control().withdraw(third.batch));
  CHECK_FALSE(w.control().withdraw(third.batch));
  CHECK(std::holds_alternative<run_absent>(w.control().inspect(third.batch)));
  CHECK_FALSE(w.control().withdraw(first));
  std::ofstream(go).flush();
  CHECK(results(w.wait_over(first)).size() == 1);
  for (const auto& next : {second, fourth}) {
    const auto all = w.wait_over(next.batch);
    CHECK(results(all).size() == 1);
    CHECK(all.all<run_started>().at(0).warm);
  }
}

TEST_CASE("P2 a run that waits for a worker which goes is told to be over, and never started") {
  workers w;
  const scratch folder;
  const auto go = folder.path() / "go";
  const auto first = w.run({}, {{{"do", "wait"}, {"until", go.string()}}, {{"do", "kill"}}});
  w.wait(first, [](const history& h) { return !h.all<run_loaded>().empty(); });
  const auto next = w.batch_on(worker_of(first), {{{"do", "done"}}});
  REQUIRE(w.control().launch_next(next));
  std::ofstream(go).flush();
  CHECK(w.wait_over(next.batch).events.empty());
  CHECK(std::holds_alternative<run_never_started>(w.control().inspect(next.batch)));
  const auto broken = w.wait_over(first);
  CHECK(exit_of(broken).broken);
  CHECK_FALSE(broken.never_handed);
}

// As one that the daemon starts has them from its fork until its exec.
TEST_CASE("P2 a run that waits for a worker which goes is told to be over, while another process has copies of its descriptors") {
  workers w;
  const scratch folder;
  const auto go = folder.path() / "go";
  const auto first = w.run({}, {{{"do", "wait"}, {"until", go.string()}}, {{"do", "kill"}}});
  w.wait(first, [](const history& h) { return !h.all<run_loaded>().empty(); });
  const auto next = w.batch_on(worker_of(first), {{{"do", "done"}}});
  REQUIRE(w.control().launch_next(next));
  std::array<int, 2> let_go{};
  REQUIRE(::pipe2(let_go.data(), O_CLOEXEC) == 0);
  const pid_t copy = ::fork();
  if (copy == 0) {
    ::close(let_go[1]);
    char nothing = 0;
    ::_exit(static_cast<int>(::read(let_go[0], &nothing, 1)));
  }
  REQUIRE(copy > 0);
  std::ofstream(go).flush();
  CHECK(w.wait_over(next.batch).never_handed);
  CHECK(std::holds_alternative<run_alive>(w.control().inspect(next.batch)));
  ::close(let_go[1]);
  int status = -1;
  CHECK((::waitpid(copy, &status, 0) == copy && status == 0));
  CHECK(std::holds_alternative<run_never_started>(w.control().inspect(next.batch)));
}

TEST_CASE("a worker that does not cancel is ended with all that it started, after the grace") {
  workers w;
  const auto batch = w.run({}, {{{"do", "children"}}, {{"do", "hang"}, {"deaf", true}}, {{"do", "done"}}});
  const auto busy = w.wait(batch, [](const history& h) { return h.all<run_job_done>().size() == 1; });
  w.control().stop(batch, "cancel", 50ms, {job_id{12}});
  const auto all = w.wait_over(batch);
  CHECK(exit_of(all).stopped_by == "cancel");
  CHECK(exit_of(all).worker_ended);
  CHECK(results(all).size() == 1); // the third had not begun
  CHECK(w.control().find_worker_processes().empty());
  w.wait_worker_gone(worker_of(batch));
  CHECK_FALSE(std::filesystem::exists(w.control().worker_directory_of(worker_of(batch))));
}

TEST_CASE("whatever a worker breaks, its batch fails with the reason, and what had ended has ended") {
  struct breach {
    json deed;
    std::string reason;
    failure_kind kind;
  };
  const auto [deed, reason, kind] = GENERATE(
      breach{{{"do", "kill"}}, "its worker ended with signal 9 (Killed) in the middle of the batch", failure_kind::signal},
      breach{
          {{"do", "exit"}, {"status", 4}}, "its worker ended with status 4 in the middle of the batch", failure_kind::exit_status},
      breach{{{"do", "exit"}}, "its worker ended with status 0 in the middle of the batch", failure_kind::exit_status},
      breach{{{"do", "wrong"}},
             "its worker broke the protocol: it answered for job 1000012, which is not in its batch",
             failure_kind::reported},
      breach{{{"do", "twice"}}, "its worker broke the protocol: it answered for job 12, which had ended", failure_kind::reported},
      breach{{{"do", "long"}}, "its worker broke the protocol: it printed a line that is too long", failure_kind::reported});
  CAPTURE(deed.dump());
  workers w;
  const auto batch = w.run({}, {json::object(), deed, {{"do", "hang"}}});
  const auto all = w.wait_over(batch);
  REQUIRE(exit_of(all).broken);
  CHECK(exit_of(all).broken->message == reason);
  CHECK(exit_of(all).broken->kind == kind);
  CHECK(exit_of(all).worker_ended);
  CHECK(results(all).contains(11));
  CHECK_FALSE(results(all).contains(13));
  w.wait_worker_gone(worker_of(batch));
}

TEST_CASE("stray prints go to the log and harm nobody") {
  workers w;
  const auto batch = w.run({}, {{{"do", "rubbish"}}});
  const auto all = w.wait_over(batch);
  CHECK(results(all).size() == 1);
  CHECK(w.output(batch).find("this is no JSON\n[\"neither\", \"is\", \"this\"]\n") != std::string::npos);
}

TEST_CASE("a result that is too large fails its job alone") {
  workers w;
  const auto all = w.wait_over(w.run({}, {{{"do", "large"}}, json::object()}));
  REQUIRE(all.all<run_job_failed>().size() == 1);
  CHECK(all.all<run_job_failed>()[0].why.message ==
        "its result takes 300002 bytes; at most 262144 are allowed: put what is large into a file");
  CHECK(results(all).size() == 1);
}

TEST_CASE("a batch that failed as a whole says so, and its worker stays warm") {
  workers w;
  const auto batch = w.run({}, {{{"do", "oom"}}, json::object()});
  const auto all = w.wait_over(batch);
  REQUIRE(exit_of(all).broken);
  CHECK(exit_of(all).broken->kind == failure_kind::oom);
  CHECK_FALSE(exit_of(all).worker_ended);
}

TEST_CASE("a worker that does not get ready in time, or ends while it loads, fails its batch") {
  workers w;
  auto late = w.batch_on({}, {json::object()}, {{"load", "never"}});
  late.worker->ready_timeout = 1s;
  w.launch(late);
  const auto end = exit_of(w.wait_over(late.batch));
  REQUIRE(end.broken);
  CHECK(end.broken->kind == failure_kind::timeout);
  CHECK(end.broken->message == "its worker did not say that it is ready within ready_timeout 1 s");
  const auto gone = exit_of(w.wait_over(w.run({}, {json::object()}, {{"load", "exit"}})));
  REQUIRE(gone.broken);
  CHECK(gone.broken->exit_status == 3);
  const auto unloadable = exit_of(w.wait_over(w.run({}, {json::object()}, {{"load", "refuse"}})));
  REQUIRE(unloadable.broken);
  CHECK(unloadable.broken->kind == failure_kind::input);
  CHECK(unloadable.broken->message == "no such model");
  auto missing = w.batch_on({}, {json::object()});
  missing.argv = {"/no/such/program"};
  w.launch(missing);
  const auto refused = exit_of(w.wait_over(missing.batch));
  REQUIRE(refused.why);
  CHECK(refused.why->kind == failure_kind::launch);
  w.wait_worker_gone(worker_of(missing.batch));
}

TEST_CASE("P3 a worker outlives the daemon with its batch, is adopted, and takes the next batch warm") {
  workers w;
  const auto until = w.directory({1}) / "jobs" / "go";
  const auto batch = w.run({}, {{{"do", "wait"}, {"until", until.string()}}});
  w.wait(batch, [](const history& h) { return !h.all<run_loaded>().empty(); });
  w.restart();
  CHECK(std::holds_alternative<run_alive>(w.control().inspect(batch)));
  CHECK(w.control().worker_of(batch) == worker_of(batch));
  const auto found = w.control().find_workers();
  REQUIRE(found.size() == 1);
  CHECK(found[0].is_alive);
  CHECK(found[0].type == "test");
  CHECK(found[0].warm == "{}");
  w.control().adopt_worker(worker_of(batch));
  REQUIRE(w.control().adopt(batch).has_value());
  std::ofstream(until) << "";
  const auto pid = results(w.wait_over(batch)).at(11)["pid"];
  const auto next = w.wait_over(w.run_when_connected(worker_of(batch), {json::object()}));
  CHECK(results(next).begin()->second["pid"] == pid);
}

TEST_CASE("a worker without work stays for its keep_alive when no daemon is there, and ends when one says so") {
  workers w;
  auto spec = w.batch_on({}, {json::object()});
  spec.worker->keep_alive = 50ms;
  w.launch(spec);
  const auto pid = results(w.wait_over(spec.batch)).at(11)["pid"].get<int>();
  const auto process = find_process(pid);
  REQUIRE(process);
  w.restart(); // nobody adopts it
  wait_gone(*process);
  const auto other = w.run({}, {json::object()});
  w.wait_over(other);
  w.control().end_worker(worker_of(other), 30s);
  w.wait_worker_gone(worker_of(other));
  CHECK(w.control().find_worker_processes().empty());
}

TEST_CASE("P4 what a killed shim leaves of a worker is ended before anyone hears that its batch is over") {
  workers w;
  const auto batch = w.run({}, {{{"do", "children"}}, {{"do", "hang"}, {"deaf", true}}});
  w.wait(batch, [](const history& h) { return h.all<run_job_done>().size() == 1; });
  REQUIRE(::kill(w.shim_of(batch), SIGKILL) == 0);
  const auto all = w.wait_over(batch);
  CHECK(all.all<run_exited>().empty());
  CHECK(w.control().find_worker_processes().empty());
  w.wait_worker_gone(worker_of(batch));
}

TEST_CASE("P4 a worker ends with its batch when the lease does, and cares for none while it is idle") {
  workers w;
  const auto path = w.directory({1}).parent_path().parent_path() / lease_file_name;
  auto lease = lease_file::open(path).value();
  const auto run = [&](worker_id worker, const json& job) {
    run_spec made = w.batch_on(worker, {job});
    made.lease_file = path;
    w.launch(made);
    return made.batch;
  };
  const auto never = run({}, json::object()); // the lease has not begun: its worker is not started either
  CHECK(exit_of(w.wait_over(never)).why->kind == failure_kind::lost);
  w.wait_worker_gone(worker_of(never));
  CHECK(w.output(never).empty());

  lease.set(boot_clock::now() + 48h);
  const auto first = run({}, json::object());
  CHECK(results(w.wait_over(first)).size() == 1);
  lease.set(boot_instant{});
  const auto refused = exit_of(w.wait_over(run(worker_of(first), json::object())));
  CHECK(refused.stopped_by == scheduling::lease_ended_text);
  CHECK_FALSE(refused.worker_ended);
  lease.set(boot_clock::now() + 48h);
  const auto warm = run(worker_of(first), {{"do", "hang"}, {"deaf", true}});
  CHECK(w.wait(warm, [](const history& h) { return !h.all<run_started>().empty(); }).all<run_started>().at(0).warm);
  lease.set(boot_instant{});
  const auto ended = exit_of(w.wait_over(warm));
  CHECK(ended.stopped_by == scheduling::lease_ended_text);
  CHECK(ended.worker_ended);
  w.wait_worker_gone(worker_of(first));
}
