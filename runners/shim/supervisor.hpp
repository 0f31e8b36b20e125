// The shim's loop: waits for a run, supervises it, waits for the next one, for as long as the daemon that started it lives. When
// that is gone it goes on with the run it has, and lets another daemon in by control.sock; without a run it ends.
//
// A run that asks for a worker makes this the shim of that worker: from then on it takes only batches for it, and it ends when the
// worker does. A worker without work stays until a daemon ends it, or, while no daemon is there, for its keep_alive.
#pragma once

#include "runners/shim/event_log.hpp"
#include "runners/shim/shim_run.hpp"
#include "runners/shim/worker_process.hpp"
#include "runners/shim/worker_run.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ferry::runners {

class supervisor {
public:
  // `launcher` is the socket to the daemon, `child_signals` a signalfd for SIGCHLD.
  supervisor(descriptor launcher, descriptor child_signals);
  // Returns when there is nothing left to do.
  void serve();

private:
  // A control.sock, in the directory of a run or of a worker: made once the launcher is gone.
  struct door {
    descriptor listener;
    shim_run::clock::time_point due; // when to try to make it
  };

  struct follower {
    descriptor socket;
    std::optional<batch_id> missed = {}; // whose events it was not told of, since it did not listen
  };

  void wait();
  [[nodiscard]] shim_run::clock::time_point next_due() const;
  void hear_launcher();
  void hear_follower(follower& from);
  void hear_worker(const std::vector<pollfd>& sources, std::size_t first);
  void obey(packet& received);
  void start_run(const json& command, std::vector<descriptor> passed);
  void start_worker_run(run_spec spec, std::vector<descriptor> passed);
  void tend_worker();
  void admit_follower(const descriptor& listener);
  static void open(door& what, int directory);
  void announce(const notice& what);
  void catch_up();
  void launcher_is_gone();
  void let_go_of_run();
  void let_go_of_worker();
  void sync_records();
  [[nodiscard]] event_log::announcer announcer();

  descriptor launcher_;
  std::optional<batch_id> missed_; // whose events the launcher was not told of, since it did not listen
  descriptor child_signals_;
  door run_door_, worker_door_;
  std::vector<follower> followers_;
  std::unique_ptr<shim_run> run_;
  worker_run* worker_run_ = nullptr; // the same, where the worker does it
  std::unique_ptr<worker_process> worker_;
  bool worker_is_ready_ = false;
  std::chrono::milliseconds keep_alive_{0};
  shim_run::clock::time_point idle_since_;
  std::int64_t overlong_ = 0; // lines of the worker, met so far
  shim_record identity_;
  std::vector<descriptor> unsynced_; // exit records that a power cut could still take
  shim_run::clock::time_point sync_due_;
  packet received_;
};

} // namespace ferry::runners
