// What is left of runs and workers whose shim was killed while nobody follows them: on a node, while it has no session with its
// head. It is the shim that ends a run with its lease; without it the run would go on, and when the lease is over the head starts
// the job elsewhere (P4).
#pragma once

#include <filesystem>
#include <set>
#include <vector>

namespace ferry::runners {

class unattended_runs {
public:
  // `runs_dir` is <data>/runs; the workers' folders lie beside it.
  explicit unattended_runs(std::filesystem::path runs_dir);
  // KILL to all that lives of a run without a shim and without an end on record, and of a worker without a shim. Returns their
  // directories, which stay as they are: whoever follows them next finds them lost. To be called while nobody launches anything,
  // and again: a process that was just born can be missed once. Cheap while nothing is lost.
  std::vector<std::filesystem::path> end_orphans();

private:
  std::filesystem::path runs_, workers_;
  std::set<std::filesystem::path> settled_; // not to be looked at again
};

} // namespace ferry::runners
