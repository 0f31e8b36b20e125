// How a run ended and what its jobs said, gathered from its events.
#pragma once

#include "runners/run_event.hpp"
#include "scheduling/outcome.hpp"

#include <vector>

namespace ferry::actors {

class run_tally {
public:
  // `ends_count`: the end that a job reports is its end, whatever becomes of the run: that of a worker's job is.
  run_tally(std::vector<job_id> jobs, bool ends_count) : jobs_(std::move(jobs)), reports_(jobs_.size()), ends_count_(ends_count) {}

  void add(const runners::run_event& event);
  // What its type's pattern found in a job's directory, for a job that did not announce it.
  void add_checkpoint(std::size_t job, const std::string& path, instant at);
  // The run ended without a record of its own, for a reason that will not go away.
  void give_up(failure why) { ending_.damaged = std::move(why); }

  // One outcome a job, in order. Without an exited event the run counts as lost.
  [[nodiscard]] std::vector<scheduling::job_outcome> outcomes() const;
  [[nodiscard]] const std::vector<job_id>& jobs() const { return jobs_; }
  [[nodiscard]] bool has_ended() const { return !ending_.lost; }
  [[nodiscard]] bool worker_has_ended() const { return worker_ended_; }
  // That of a job which has ended before the others.
  [[nodiscard]] std::optional<scheduling::job_outcome> early_outcome(job_id job) const;

private:
  void end_job(scheduling::job_report& report, const std::vector<runners::artifact>& files, instant at) const;
  void take_exit(const runners::run_exited& exited);
  template <class Change>
  void for_job(job_id id, Change change);

  std::vector<job_id> jobs_;
  std::vector<scheduling::job_report> reports_;
  bool ends_count_;
  bool worker_ended_ = false;
  scheduling::run_ending ending_{.lost = true};
};

// Of too many notes the oldest checkpoints go: it is the newest that an attempt continues from.
void add_note(std::vector<run_note>& notes, run_note note);

// What an event adds to the timeline of its jobs, and which job; nothing for those that add nothing.
struct noted_event {
  job_id job; // none: each of the batch
  run_note note;
};
[[nodiscard]] std::optional<noted_event> note_of(const runners::run_event& event);

} // namespace ferry::actors
