// Which jobs of a type may run together, as `[job_types.<name>.batch]` declares it, and how a worker is kept, as
// `[job_types.<name>]` does for `runner = "worker"`. Parameters are named by dotted path.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace ferry::config {

struct batch_rules {
  int max_items = 1;                             // in one batch; 1: every job runs alone
  std::chrono::milliseconds window{0};           // jobs of a batch were submitted within this of each other; 0: at any time
  std::vector<std::string> same;                 // equal in all jobs of a batch; a missing value equals its default
  std::map<std::string, double> within;          // at most so far apart, each two of them; a missing value is its default, else 0
  std::vector<std::string> same_keys;            // objects with the same keys of a value that is not 0
  std::string items;                             // how many items a job has: a list's length, or a number; empty: one
  bool split = true;                             // a list of more items than may run together is run in parts
  std::int64_t memory_mib_per_item = 0;          // of the device, beyond memory_mib, for each item of a batch
  std::chrono::milliseconds overtaking{120'000}; // how long others may be served first because they fit better
};

struct worker_rules {
  std::vector<std::string> warm_key;                // what its model depends on: it serves only jobs that agree in these
  std::chrono::milliseconds keep_alive{300'000};    // without work; 0: it is ended at once
  std::chrono::milliseconds ready_timeout{600'000}; // from its start to "ready"
};

} // namespace ferry::config
