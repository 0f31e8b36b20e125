// From what is stored and what the run directories say to the state that the actors begin with.
#pragma once

#include "actors/queue_actor.hpp"

#include <memory>
#include <set>
#include <string>

namespace ferry::actors {

struct restored_state {
  std::shared_ptr<queue_start> queue;
  batch_id last_batch;
  std::vector<std::pair<batch_id, scheduling::lease>> leases = {}; // of the batches that go on
  std::vector<scheduling::warm_worker> workers = {};               // that live
  std::set<std::string> suspect_types = {};                        // whose workers may be at work on something that is queued again
};

// Reads the live jobs, looks at each running batch, and queues again (on disk, too) those that never started.
[[nodiscard]] result<restored_state> restore_state(storage::job_store& store, const runners::run_control& control,
                                                   std::shared_ptr<const config::settings> settings,
                                                   const std::vector<device>& devices);

} // namespace ferry::actors
