// One run under this shim: starts its process, follows what it says, ends it and all that descends from it, and writes its end down
// exactly once. The shim is the reaper of orphans below it, so whatever leaves the process group or outlives its parent is still
// found and waited for: a run is over when nothing of it lives.
#pragma once

#include "runners/shim/event_log.hpp"
#include "runners/shim/progress_watch.hpp"
#include "runners/shim/shim_record.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>

namespace ferry::runners {

class supervised_run {
public:
  using clock = std::chrono::steady_clock;

  // `lock` is the locked shim.lock: it is let go when this goes.
  supervised_run(run_spec spec, descriptor lock, descriptor directory, event_log::announcer announce);

  // Errors: nothing was started and nothing could be written down.
  [[nodiscard]] result<void> start(shim_record& shim);
  // Instead of start(): writes down why the run could not be started.
  void refuse(std::string why);
  void stop(const stop_request& request);
  // A child has ended, or `next_due` has come.
  void proceed();
  [[nodiscard]] clock::time_point next_due() const;
  [[nodiscard]] bool is_over() const { return stage_ == stage::over; }
  // The file with the exit record, once over: written, and yet to be made to survive a power cut.
  [[nodiscard]] descriptor take_record() { return log_.take_file(); }

  [[nodiscard]] batch_id batch() const { return spec_.batch; }
  [[nodiscard]] int directory() const { return directory_.get(); }

private:
  enum class stage { running, asked_to_end, killing, recording, over };

  void reap();
  void look();
  void report(const progress_watch::findings& found);
  void begin_ending(std::chrono::milliseconds grace);
  void kill_all();
  void signal_tree(int signal) const;
  void record_end();
  void record_launch_failure(std::string why);
  [[nodiscard]] bool is_worth_storing(const run_progressed& event) const;

  run_spec spec_;
  descriptor lock_;
  descriptor directory_;
  descriptor output_;
  event_log log_;
  std::optional<progress_watch> watch_;

  stage stage_ = stage::running;
  int pid_ = 0;
  std::optional<int> status_; // of the process, as waitpid(2) gives it
  bool alone_ = false;        // no child is left
  std::string stopped_by_;
  clock::time_point look_due_, kill_due_, record_due_;
  std::chrono::milliseconds kill_pause_{10};

  struct stored {
    progress value;
    clock::time_point at;
  };
  std::map<job_id, stored> stored_progress_;
};

} // namespace ferry::runners
