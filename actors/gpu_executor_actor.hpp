// Runs batches on one device: launches them under shims, follows their reports and judges their outcomes.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/run_router.hpp"

#include <memory>

namespace ferry::actors {

struct executor_parts {
  device on;
  std::shared_ptr<runners::run_control> control;
  std::shared_ptr<run_router> router;
  queue_actor queue;
  batch_optimizer_actor optimizer;
};

// On a thread of its own: launching makes files and must not hold up others.
[[nodiscard]] gpu_executor_actor spawn_gpu_executor(caf::actor_system& system, executor_parts parts);

// How a run ended and what its jobs said, gathered from its events.
class run_tally {
public:
  explicit run_tally(std::vector<job_id> jobs) : jobs_(std::move(jobs)), reports_(jobs_.size()) {}
  void add(const runners::run_event& event);
  // The run ended without a record of its own.
  void give_up(failure why) { ending_ = {.launch_failure = std::move(why)}; }
  // One outcome a job, in order. Without an exited event the run counts as lost.
  [[nodiscard]] std::vector<scheduling::job_outcome> outcomes() const;
  [[nodiscard]] const std::vector<job_id>& jobs() const { return jobs_; }

private:
  template <class Change>
  void for_job(job_id id, Change change);

  std::vector<job_id> jobs_;
  std::vector<scheduling::job_report> reports_;
  scheduling::run_ending ending_{.lost = true};
};

} // namespace ferry::actors
