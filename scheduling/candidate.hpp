// A queued job with all that decides when and where it starts, and with whom.
#pragma once

#include "config/batch_rules.hpp"
#include "config/limits.hpp"
#include "model/time.hpp"
#include "scheduling/device_ledger.hpp"
#include "scheduling/job_queue.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace ferry::scheduling {

struct candidate {
  queued_job job;
  demand needs;                                  // alone, its own items included
  bool preemptible = false;                      // its type is
  const config::batch_rules* batching = nullptr; // of its type, lives as long as the daemon; null: it runs alone
  std::vector<double> tolerated = {};            // as batch_traits has them
  bool on_worker = false;                        // its type's runner is a worker
  std::uint64_t warm = 0;                        // then: what that has to have loaded
  std::optional<duration> estimate = {};         // how long it takes alone on a warm worker; nothing: nothing was measured yet
  std::optional<duration> load = {};             // how long its worker takes to load; likewise
  int items_max = limits::batch_items_max;       // that a batch of it may have, as far as was learnt
  double marginal = 0.5;                         // what a further item costs, in times of the first
};

} // namespace ferry::scheduling
