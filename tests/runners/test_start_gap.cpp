// A shim that is killed at any moment of a start: either nothing was started, or what was started is found and ended (P4).
#include "run_harness.hpp"

#include "runners/shim/job_process.hpp"
#include "tests/support/seeds.hpp"

#include <catch2/catch_all.hpp>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <random>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace ferry;
using namespace ferry::runners;
using namespace ferry::runners::test;

namespace {

// The shim of a run that is just being handed over: as soon as its shim.json can be read.
int shim_once_known(const harness& runs, batch_id batch) {
  for (;;) {
    const json identity = json::parse(std::ifstream(runs.directory(batch) / "shim.json"), nullptr, false);
    if (identity.is_object() && identity.contains("pid"))
      return identity["pid"].get<int>();
    std::this_thread::yield();
  }
}

} // namespace

TEST_CASE("P4: no process of a job outlives a shim that was killed while it started it") {
  for (const auto seed : tests::seeds(2)) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    harness runs(2);
    std::vector<batch_id> killed;
    for (int n = 0; n < 60; ++n) {
      const auto batch = runs.launch_shell("exec sleep 1000");
      const int shim = shim_once_known(runs, batch);
      const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(random() % 800);
      while (std::chrono::steady_clock::now() < until) {}
      ::kill(shim, SIGKILL);
      runs.wait_over(batch);
      CHECK_FALSE(runs.control().find_processes().contains(batch));
      killed.push_back(batch);
    }
    const auto left = runs.control().find_processes(); // those that might have come after the look above
    for (const batch_id batch : killed)
      CHECK_FALSE(left.contains(batch));
  }
}

TEST_CASE("a process that waits becomes the program when it is let go, and ends when nobody will let it go") {
  const scratch folder;
  run_spec spec;
  spec.argv = {"/bin/sh", "-c", "echo ran > ran"};
  spec.directory = folder.path();
  const descriptor output(::open((folder.path() / "log").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  const auto ran = folder.path() / "ran";
  {
    auto forsaken = waiting_process::make(spec, {.output = output.get(), .errors = output.get()});
    REQUIRE(forsaken);
    const int pid = forsaken->pid();
    forsaken = fail(error_code::internal, "gone"); // closes the gate
    int status = -1;
    REQUIRE(::waitpid(pid, &status, 0) == pid);
    CHECK(status == 0);
    CHECK_FALSE(std::filesystem::exists(ran));
  }
  auto made = waiting_process::make(spec, {.output = output.get(), .errors = output.get()});
  REQUIRE(made);
  CHECK_FALSE(std::filesystem::exists(ran));
  REQUIRE(made->let_go());
  int status = -1;
  REQUIRE(::waitpid(made->pid(), &status, 0) == made->pid());
  CHECK(status == 0);
  CHECK(std::filesystem::exists(ran));
}

TEST_CASE("a program that the system refuses is said when it is let go, and leaves no process") {
  const scratch folder;
  const auto program = folder.path() / "no-program";
  std::ofstream(program) << "neither a script nor a binary";
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  run_spec spec;
  spec.argv = {program.string()};
  spec.directory = folder.path();
  const descriptor output(::open((folder.path() / "log").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  auto made = waiting_process::make(spec, {.output = output.get(), .errors = output.get()});
  REQUIRE(made);
  const auto gone = made->let_go();
  REQUIRE_FALSE(gone);
  CHECK(gone.error().what.find("Exec format error") != std::string::npos);
  CHECK(::kill(made->pid(), 0) != 0);
}
