// Commits groups of jobs for ever and writes the last id of each acknowledged group to standard output, until it is killed.
// Usage: storage_commit_loop DATA_DIR JOBS_PER_GROUP
#include "storage/job_store.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <unistd.h>

int main(int argc, char** argv) {
  using namespace ferry;
  if (argc != 3)
    return 2;
  auto store = storage::job_store::open(argv[1], config::durability::full, false);
  if (!store) {
    std::fprintf(stderr, "%s\n", to_string(store.error()).c_str());
    return 1;
  }
  const auto before = (*store)->restore([](const storage::live_job&) {});
  if (!before)
    return 1;
  const long group = std::atol(argv[2]);
  for (std::int64_t id = before->last_job.value;;) {
    std::vector<fact> facts;
    for (long n = 0; n < group; ++n) {
      ++id;
      facts.push_back(job_queued{.id = job_id{id},
                                 .type = "command",
                                 .params = "{}",
                                 .name = "job " + std::to_string(id),
                                 .order_key = id,
                                 .at = wall_clock_now()});
    }
    if (!(*store)->apply(facts) || !(*store)->commit())
      return 1;
    if (::write(STDOUT_FILENO, &id, sizeof id) != static_cast<ssize_t>(sizeof id))
      return 0;
  }
}
