// The shim's loop: waits for a run, supervises it, waits for the next one, for as long as the daemon that started it lives. When
// that is gone it goes on with the run it has, and lets another daemon in by control.sock; without a run it ends.
#pragma once

#include "runners/shim/supervised_run.hpp"

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
  void wait();
  void hear_launcher();
  void hear_follower(descriptor& from);
  void obey(packet& received);
  void start_run(const json& command, descriptor lock, descriptor directory);
  void admit_follower();
  void open_control();
  void announce(const notice& what);
  void catch_up();
  void launcher_is_gone();
  void let_go_of_run();
  void sync_records();

  descriptor launcher_;
  std::optional<batch_id> missed_; // whose events the launcher was not told of, since it did not listen
  descriptor child_signals_;
  descriptor control_; // listens, once the launcher is gone
  std::vector<descriptor> followers_;
  std::optional<supervised_run> run_;
  supervised_run::clock::time_point control_due_;
  shim_record identity_;
  std::vector<descriptor> unsynced_; // exit records that a power cut could still take
  supervised_run::clock::time_point sync_due_;
  packet received_;
};

} // namespace ferry::runners
