// One run under a shim, whoever does its work: a process of its own (supervised_run), or the shim's worker (worker_run).
#pragma once

#include "runners/packets.hpp"
#include "runners/shim/shim_record.hpp"

#include <chrono>

namespace ferry::runners {

class shim_run {
public:
  using clock = std::chrono::steady_clock;

  shim_run() = default;
  virtual ~shim_run() = default;
  shim_run(const shim_run&) = delete;
  shim_run& operator=(const shim_run&) = delete;

  // Errors: nothing was started and nothing could be written down.
  [[nodiscard]] virtual result<void> start(shim_record& shim) = 0;
  // Instead of start(): writes down why the run could not be started, and what ended it before that.
  virtual void refuse(failure why, std::string stopped_by) = 0;
  void refuse(std::string why) { refuse({.kind = failure_kind::launch, .message = std::move(why)}, {}); }
  virtual void stop(const stop_request& request) = 0;
  // A child has ended, or `next_due` has come.
  virtual void proceed() = 0;
  [[nodiscard]] virtual clock::time_point next_due() const = 0;
  [[nodiscard]] virtual bool is_over() const = 0;
  // The file with the exit record, once over: written, and yet to be made to survive a power cut.
  [[nodiscard]] virtual descriptor take_record() = 0;

  [[nodiscard]] virtual batch_id batch() const = 0;
  [[nodiscard]] virtual int directory() const = 0;
};

} // namespace ferry::runners
