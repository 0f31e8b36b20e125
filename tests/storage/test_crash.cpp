#include "storage_support.hpp"

#include <csignal>
#include <random>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace ferry;
using namespace ferry::storage;
using namespace ferry::storage::test;

namespace {

// Runs the commit loop until it has acknowledged `acknowledgements` groups, kills it, and returns the last id it acknowledged.
std::int64_t run_and_kill(const std::filesystem::path& folder, long group, int acknowledgements) {
  int channel[2];
  REQUIRE(::pipe(channel) == 0);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, channel[1], STDOUT_FILENO);
  posix_spawn_file_actions_addclose(&actions, channel[0]);
  posix_spawn_file_actions_addclose(&actions, channel[1]);
  std::string program = FERRY_COMMIT_LOOP, data_dir = folder.string(), jobs = std::to_string(group);
  char* arguments[] = {program.data(), data_dir.data(), jobs.data(), nullptr};
  pid_t pid = 0;
  REQUIRE(::posix_spawn(&pid, program.c_str(), &actions, nullptr, arguments, environ) == 0);
  posix_spawn_file_actions_destroy(&actions);
  ::close(channel[1]);
  std::int64_t last = 0, id = 0;
  for (int n = 0; n < acknowledgements && ::read(channel[0], &id, sizeof id) == static_cast<ssize_t>(sizeof id); ++n)
    last = id;
  ::kill(pid, SIGKILL);
  while (::read(channel[0], &id, sizeof id) == static_cast<ssize_t>(sizeof id))
    last = id; // acknowledged before the kill came through
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  REQUIRE(WIFSIGNALED(status));
  ::close(channel[0]);
  return last;
}

} // namespace

TEST_CASE("P1: kill -9 at any moment loses nothing that was acknowledged and leaves no half of a group") {
  constexpr unsigned seed = 20260131;
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const temporary_folder folder;
  constexpr long group = 7;
  std::int64_t stored_before = 0;
  for (int round = 0; round < 12; ++round) {
    // Through the first checkpoints, at 1,000 pages, and past them.
    const auto acknowledged = run_and_kill(folder.path(), group, 1 + static_cast<int>(random() % 150));
    std::vector<std::int64_t> found;
    auto store = must(job_store::open(folder.path(), config::durability::full, true));
    const auto restored = must(store->restore([&](const live_job& job) { found.push_back(job.id.value); }));
    CAPTURE(round, acknowledged);
    REQUIRE(restored.last_job.value >= acknowledged);
    REQUIRE(restored.last_job.value >= stored_before);
    CHECK(restored.last_job.value % group == 0);
    REQUIRE(found.size() == static_cast<std::size_t>(restored.last_job.value));
    for (std::size_t n = 0; n < found.size(); ++n)
      REQUIRE(found[n] == static_cast<std::int64_t>(n) + 1);
    stored_before = restored.last_job.value;
  }
}
