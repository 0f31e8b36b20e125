// What the executors of a machine's devices and of Slurm do alike: how a batch becomes a run, and how what the run says reaches the
// queue, the batch optimizer and the watchdog.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/run_tally.hpp"

#include <filesystem>

namespace ferry::actors {

// A run that is followed.
struct followed_run {
  run_tally tally;
  const config::job_type* type = nullptr; // null: no longer configured
};

class run_reporter {
public:
  // `runs` is <data>/runs.
  run_reporter(run_listener_actor queue, lease_holder_actor optimizer, sign_listener_actor watchdog, std::filesystem::path runs)
      : queue_(std::move(queue)), optimizer_(std::move(optimizer)), watchdog_(std::move(watchdog)), runs_(std::move(runs)) {}

  [[nodiscard]] std::filesystem::path directory_of(batch_id batch) const { return runs_ / to_string(batch); }

  // What is to be launched; jobs that continue do so from the newest checkpoint that is still there, which their timelines say.
  [[nodiscard]] result<runners::run_spec> spec_of(const run_batch& what, const device& on,
                                                  const std::optional<runners::worker_choice>& worker = {}) const;

  // Adds what happened to the tally, and tells it. `over`: it was the last.
  void tell(batch_id batch, followed_run& of, const std::vector<runners::run_event>& events, bool over) const;
  // It is over; what it left is looked for.
  void tell_end(batch_id batch, followed_run& of, bool worker_ended) const;
  // It was stopped before it was launched.
  void tell_stopped_unlaunched(const stop_batch& why, const std::vector<job_id>& jobs, bool would_start_worker) const;
  // It cannot be launched, by fault of its jobs.
  void tell_all_failed(const run_batch& what, const failure& why) const;

private:
  [[nodiscard]] std::filesystem::path resume_from(batch_id batch, job_id job, const std::vector<checkpoint>& newest_first) const;
  void tell_early_end(batch_id batch, const followed_run& of, const runners::run_event& event) const;
  void give_sign(batch_id batch, const followed_run& of, const runners::run_event& event) const;
  void free(batch_id batch, bool would_start_worker) const;

  run_listener_actor queue_;
  lease_holder_actor optimizer_;
  sign_listener_actor watchdog_;
  std::filesystem::path runs_;
};

} // namespace ferry::actors
