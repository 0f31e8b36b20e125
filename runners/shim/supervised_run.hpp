// A run with a process of its own: starts it, follows what it says, ends it and all that descends from it, and writes its end down
// exactly once. The run is over when nothing of it lives.
#pragma once

#include "runners/shim/lease_watch.hpp"
#include "runners/shim/process_tree.hpp"
#include "runners/shim/progress_watch.hpp"
#include "runners/shim/run_journal.hpp"
#include "runners/shim/shim_run.hpp"

#include <optional>
#include <string>

namespace ferry::runners {

class supervised_run final : public shim_run {
public:
  // `lock` is the locked shim.lock: it is let go when this goes.
  supervised_run(run_spec spec, lease_watch lease, descriptor lock, descriptor directory, event_log::announcer announce);

  [[nodiscard]] result<void> start(shim_record& shim) override;
  void refuse(failure why, std::string stopped_by) override;
  void stop(const stop_request& request) override;
  void proceed() override;
  [[nodiscard]] clock::time_point next_due() const override;
  [[nodiscard]] bool is_over() const override { return stage_ == stage::over; }
  [[nodiscard]] descriptor take_record() override { return journal_.take_file(); }

  [[nodiscard]] batch_id batch() const override { return spec_.batch; }
  [[nodiscard]] int directory() const override { return directory_.get(); }

private:
  enum class stage { running, asked_to_end, killing, recording, over };

  void heed_lease();
  void look();
  void report(const progress_watch::findings& found);
  void begin_ending(std::chrono::milliseconds grace);
  void record_end();
  void record_launch_failure(failure why);

  run_spec spec_;
  lease_watch lease_;
  descriptor lock_;
  descriptor directory_;
  descriptor output_;
  run_journal journal_;
  std::optional<progress_watch> watch_;

  stage stage_ = stage::running;
  process_tree process_;
  std::string stopped_by_;
  std::vector<job_id> stopped_jobs_;
  clock::time_point look_due_, kill_due_, record_due_;
};

} // namespace ferry::runners
