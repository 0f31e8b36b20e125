// `ferry-shim --run DIRECTORY`: a run without a daemon, as Slurm starts it.
#include "run_harness.hpp"
#include "runners/program_call.hpp"
#include "runners/run_claim.hpp"
#include "runners/run_directory.hpp"
#include "runners/run_folders.hpp"
#include "runners/slurm_folder.hpp"

#include <atomic>
#include <catch2/catch_all.hpp>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <sys/file.h>
#include <thread>

using namespace ferry;
using namespace ferry::runners;
using namespace ferry::runners::test;
using namespace std::chrono_literals;

namespace {

// A run directory that waits for somebody to start it, and the shim that does.
struct lone_run {
  scratch folder;
  std::filesystem::path runs = folder.path() / "runs", directory = runs / "7";

  explicit lone_run(const std::string& script, std::chrono::milliseconds grace = 30s) {
    std::filesystem::create_directory(runs);
    run_spec spec;
    spec.batch = {7};
    spec.type = "test";
    spec.device = "slurm";
    spec.argv = {"/bin/sh", "-c", script};
    spec.directory = directory / "jobs" / "1";
    spec.jobs = {{job_id{1}, json::object(), spec.directory}};
    spec.environment = {{"PATH", "/usr/bin:/bin"},
                        {"FERRY_EVENTS", (directory / "reported.jsonl").string()},
                        {"FERRY_RUN_DIR", directory.string()},
                        {"CUDA_VISIBLE_DEVICES", "slurm"}};
    spec.grace = grace;
    REQUIRE(make_shared_run_folder(runs, spec).has_value());
  }

  [[nodiscard]] descriptor open() const { return open_directory(directory); }
  // Until it ends; whether that was well.
  [[nodiscard]] bool start(std::vector<std::string> environment = {}) const {
    return call({.words = {FERRY_SHIM_PATH, "--run", directory.string()}, .environment = std::move(environment), .timeout = 60s})
        .has_value();
  }
  // The end on record; nothing where there is none.
  [[nodiscard]] std::optional<run_exited> end() const {
    std::vector<run_event> events;
    event_reader().read(open().get(), events);
    std::optional<run_exited> found;
    for (const auto& event : events)
      if (const auto* exited = std::get_if<run_exited>(&event)) {
        REQUIRE_FALSE(found); // there is one end
        found = *exited;
      }
    return found;
  }
  [[nodiscard]] std::string output() const { return read_text(directory / "output.log"); }
  [[nodiscard]] bool was_started() const { return std::filesystem::exists(directory / "shim.json"); }
  void wait_for_output(const std::string& text) const {
    for (int i = 0; i < 6000 && output().find(text) == std::string::npos; ++i)
      std::this_thread::sleep_for(10ms);
    REQUIRE(output().find(text) != std::string::npos);
  }
};

} // namespace

TEST_CASE("a lone shim runs what the directory says, and its record is that of any run") {
  const lone_run run("echo $CUDA_VISIBLE_DEVICES $SLURM_JOB_ID $OTHER; echo content > out.txt; exit 4");
  REQUIRE(run.start({"CUDA_VISIBLE_DEVICES=2", "SLURM_JOB_ID=12", "OTHER=secret"}));
  const auto end = run.end();
  REQUIRE(end);
  CHECK(end->exit_status == 4);
  CHECK(end->stopped_by.empty());
  CHECK(end->artifacts.at(0).at(0).path == "out.txt");
  CHECK(run.output() == "2 12\n");
  const auto claim = read_claim(run.open().get());
  REQUIRE(claim);
  CHECK(claim->by_shim);
  CHECK(claim->slurm_job == 12);
}

TEST_CASE("P4 a run starts once, however often it is asked for") {
  const lone_run run("echo once");
  CHECK(run.start());
  CHECK(run.start());
  CHECK(run.output() == "once\n");
  CHECK(run.end()->exit_status == 0);
  SECTION("and of several at once one does it") {
    const lone_run again("echo once; sleep 0.3");
    std::vector<std::thread> all;
    std::atomic<int> well = 0;
    for (int i = 0; i < 4; ++i)
      all.emplace_back([&] { well += again.start() ? 1 : 0; });
    for (auto& one : all)
      one.join();
    CHECK(well == 4);
    CHECK(again.output() == "once\n");
  }
}

TEST_CASE("P4 a run that was taken back never starts, and one that began cannot be taken back") {
  const lone_run run("echo ran");
  CHECK(claim_run(run.open().get(), {.reason = "cancel", .jobs = {{1}}}) == true);
  CHECK(run.start());
  CHECK_FALSE(run.was_started());
  CHECK(read_claim(run.open().get())->reason == "cancel");
  CHECK(read_claim(run.open().get())->jobs == std::vector<job_id>{{1}});
  const lone_run other("echo ran");
  CHECK(other.start());
  CHECK(claim_run(other.open().get(), {}) == false);
  CHECK(read_claim(other.open().get())->by_shim);
}

TEST_CASE("a run whose lock is held, or whose directory is gone, is left alone") {
  const lone_run run("echo ran");
  {
    const descriptor lock(::openat(run.open().get(), run_file::lock, O_RDWR | O_CLOEXEC));
    REQUIRE(::flock(lock.get(), LOCK_EX | LOCK_NB) == 0);
    CHECK(run.start());
    CHECK_FALSE(run.was_started());
    CHECK_FALSE(read_claim(run.open().get()));
  }
  std::filesystem::remove_all(run.directory);
  CHECK_FALSE(run.start());
}

TEST_CASE("a lone shim ends its run when stop.json says so, without a signal") {
  const lone_run run("trap 'echo term; exit 5' TERM; echo up; while :; do sleep 0.02; done");
  std::thread shim([&] { CHECK(run.start()); });
  run.wait_for_output("up");
  CHECK(write_stop(run.open().get(), {{7}, "cancel", 10s, {{1}}}).has_value());
  shim.join();
  CHECK(run.end()->stopped_by == "cancel");
  CHECK(run.end()->stopped_jobs == std::vector<job_id>{{1}});
  CHECK(run.output().find("term") != std::string::npos);
}

TEST_CASE("SIGTERM without a wish of the daemon is Slurm's, and ends all of it within the grace") {
  const lone_run run("trap '' TERM; echo up; while :; do sleep 0.02; done", 200ms);
  std::thread shim([&] { CHECK(run.start()); });
  run.wait_for_output("up");
  const auto identity = read_shim_identity(run.open().get());
  REQUIRE(identity);
  ::kill(identity->pid, SIGTERM);
  shim.join();
  CHECK(run.end()->stopped_by == ended_by_slurm);
  CHECK(run.end()->signal == SIGKILL);
}

TEST_CASE("claims, wishes and Slurm's ids survive being written, and damage is taken for a shim's claim") {
  const scratch folder;
  const descriptor directory = open_directory(folder.path());
  CHECK_FALSE(read_claim(directory.get()));
  CHECK_FALSE(read_stop(directory.get(), {7}));
  CHECK_FALSE(read_slurm_id(directory.get()));
  REQUIRE(write_slurm_id(directory.get(), 12).has_value());
  REQUIRE(write_slurm_id(directory.get(), 13).has_value());
  CHECK(read_slurm_id(directory.get()) == 13);
  REQUIRE(write_stop(directory.get(), {{7}, "timeout: \"quoted\"", 1500ms, {}}).has_value());
  const auto stop = read_stop(directory.get(), {7});
  REQUIRE(stop);
  CHECK(stop->reason == "timeout: \"quoted\"");
  CHECK(stop->grace == 1500ms);
  std::ofstream(folder.path() / run_file::claim) << "{";
  REQUIRE(read_claim(directory.get()));
  CHECK(read_claim(directory.get())->by_shim);
  CHECK(claim_run(directory.get(), {}) == false);
}

TEST_CASE("what Slurm's nodes need is made once, and replaced when it is another version") {
  const scratch folder;
  const auto first = open_slurm_folder(folder.path(), FERRY_SHIM_PATH);
  REQUIRE(first);
  CHECK(first->data.size() == 8);
  std::ofstream(first->shim, std::ios::app) << "older";
  const auto second = open_slurm_folder(folder.path(), FERRY_SHIM_PATH);
  REQUIRE(second);
  CHECK(second->data == first->data);
  CHECK(std::filesystem::file_size(second->shim) == std::filesystem::file_size(FERRY_SHIM_PATH));
  CHECK(second->command_for("/data/runs/7") ==
        std::vector<std::string>{second->script.string(), second->shim.string(), "/data/runs/7"});
  CHECK(open_slurm_folder(folder.path() / "none", FERRY_SHIM_PATH).error().code == error_code::io);
}
