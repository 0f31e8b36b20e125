// Compares what runs as the disk, the queue and the process table have it. Pure.
#pragma once

#include "model/ids.hpp"

#include <set>
#include <string>
#include <vector>

namespace ferry::scheduling {

// The books at one moment; they are read one after the other, so a batch on its way may stand in one and not yet in another.
struct run_books {
  std::set<batch_id> on_disk;   // running, says the store
  std::set<batch_id> in_memory; // running, says the queue
  std::set<batch_id> expected;  // of those, the ones that must have a process
  std::set<batch_id> alive;     // their shim or any process of theirs lives
};

struct repairs {
  std::vector<batch_id> strays; // live processes of batches that nobody knows: to be ended
  std::string differences;      // in words; not empty: everything is to be read from disk again
};

// Only what differs in two audits, one after the other, is a difference: what was on its way then has arrived since.
[[nodiscard]] repairs compare_books(const run_books& before, const run_books& now);

} // namespace ferry::scheduling
