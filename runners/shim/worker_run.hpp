// A batch that the shim's worker runs: hands its jobs over once the worker is ready, writes down what it says of them, and judges
// whether it keeps to the protocol (docs/worker_protocol.md). The batch is over when each of its jobs has ended; or when the worker
// is gone with all that descends from it, for until then a job could still be at work.
#pragma once

#include "runners/reported_lines.hpp"
#include "runners/shim/lease_watch.hpp"
#include "runners/shim/run_journal.hpp"
#include "runners/shim/shim_run.hpp"
#include "runners/shim/worker_process.hpp"

#include <optional>
#include <string>

namespace ferry::runners {

class worker_run final : public shim_run {
public:
  // `worker` outlives this. `lock` is the locked shim.lock of the run: it is let go when this goes.
  worker_run(run_spec spec, lease_watch lease, descriptor lock, descriptor directory, event_log::announcer announce,
             worker_process& worker, bool worker_is_ready);

  [[nodiscard]] result<void> start(shim_record& shim) override;
  void refuse(failure why, std::string stopped_by) override;
  void stop(const stop_request& request) override;
  void proceed() override;
  [[nodiscard]] clock::time_point next_due() const override;
  [[nodiscard]] bool is_over() const override { return stage_ == stage::over; }
  [[nodiscard]] descriptor take_record() override { return journal_.take_file(); }
  [[nodiscard]] batch_id batch() const override { return spec_.batch; }
  [[nodiscard]] int directory() const override { return directory_.get(); }

  // The worker has loaded what it needs.
  void worker_ready();
  // A line of the worker, parsed; null: it is no JSON.
  void said(const json& line, std::string_view text);
  void printed(std::string_view bytes);
  // The worker cannot be relied on: it is ended, and the batch fails.
  void break_worker(failure why);

private:
  enum class stage { loading, running, ending, recording, over };

  void heed_lease();
  void hand_over();
  void take_end(const json& line, job_id named);
  void end_job(job_id job, const json& line);
  // The whole of it failed; the worker is well.
  void fail_batch(failure why);
  void record_end();
  void flush();
  [[nodiscard]] std::vector<artifact> files_of(job_id job) const;

  run_spec spec_;
  lease_watch lease_;
  descriptor lock_;
  descriptor directory_;
  descriptor log_;
  run_journal journal_;
  reported_lines reported_;
  worker_process& worker_;
  const bool warm_;

  stage stage_ = stage::loading;
  clock::time_point ready_due_, stop_due_ = clock::time_point::max(), record_due_;
  std::string stopped_by_;
  std::vector<job_id> stopped_jobs_;
  std::optional<failure> broken_;
  std::optional<std::int64_t> memory_mib_;
};

} // namespace ferry::runners
