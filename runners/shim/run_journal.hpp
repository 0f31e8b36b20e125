// What a run tells: all of it goes to the daemons that listen, and all but fine steps of progress to events.jsonl, so that a run of
// weeks has a short file.
#pragma once

#include "runners/run_event.hpp"
#include "runners/shim/event_log.hpp"

#include <chrono>
#include <map>

namespace ferry::runners {

class run_journal {
public:
  run_journal(batch_id batch, event_log::announcer announce) : log_(batch, std::move(announce)) {}

  // Errors: disk_full, io.
  [[nodiscard]] result<void> open(int directory) { return log_.open(directory); }
  // Written by the next flush.
  void add(const run_event& event) { log_.add(to_json(event)); }
  void add_line(const json& line) { log_.add(line); }
  void add(const run_progressed& event);
  // False: some could not be written (the disk is full) and waits for the next flush.
  bool flush() { return log_.flush(); }
  // The file, to be synced: nothing more will be written.
  [[nodiscard]] descriptor take_file() { return log_.take_file(); }

private:
  using clock = std::chrono::steady_clock;
  [[nodiscard]] bool is_worth_storing(const run_progressed& event) const;

  event_log log_;
  struct stored {
    progress value;
    clock::time_point at;
  };
  std::map<job_id, stored> stored_progress_;
};

} // namespace ferry::runners
