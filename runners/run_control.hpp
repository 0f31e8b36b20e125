// Launches runs under shims, follows them and stops them; finds out after a restart what became of each. The daemon never forks:
// shims are started with posix_spawn, a few ahead of need, and used again for run after run while the daemon lives.
//
// A run directory appears whole (made under another name, renamed) and its shim.lock is held from before that moment until the shim
// is done: the daemon locks it and passes the locked descriptor on, so there is no instant in which a run that may still start
// looks dead. The lock is an open-file-description lock (flock); the job's processes do not inherit it.
#pragma once

#include "runners/run_event.hpp"
#include "runners/run_spec.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace ferry::runners {

// What a run directory says about its run is one of these.

// No directory, and no process that was given one: it never started (P2).
struct run_absent {};
// A directory, but no process was ever made: queue it again.
struct run_never_started {
  std::string why;
};
// Its shim holds the lock: adopt it.
struct run_alive {};
// An exit record: harvest it. `events` are all of the run's, the exit among them as the last.
struct run_over {
  run_exited exit;
  std::vector<run_event> events;
};
// The shim is gone without a record. A run of an older boot without any trace counts as lost too: it may have started.
struct run_lost {
  std::vector<int> survivors;         // pids of its processes that still live (pid, start time and boot id agree)
  std::vector<run_event> events = {}; // what its shim had written down
};
// The directory cannot be understood.
struct run_damaged {
  std::string why;
};
using run_condition = std::variant<run_absent, run_never_started, run_alive, run_over, run_lost, run_damaged>;

class run_control {
public:
  // Called on the control's own thread, in order, for one run at a time. The last call for a run has `over` set: either an exited
  // event is among `events`, or the shim was lost (no exited event) and everything that it ran has been ended; inspect() then tells
  // whether it had started at all. A report may come before launch() returns. The listener may call anything here but the
  // destructor.
  struct report {
    batch_id batch;
    std::vector<run_event> events;
    bool over = false;
    // With `over`: no shim was ever given it, which is known here alone. For as long as a process that the daemon starts at that
    // moment has copies of its descriptors, the run's lock looks held.
    bool never_handed = false;
    worker_id worker = {}; // set, and all else empty: this worker is gone, with all that it started
  };
  using listener = std::function<void(report)>;

  // `runs_dir` is <data>/runs (created when missing); `shim` is the path of the ferry-shim program.
  run_control(std::filesystem::path runs_dir, std::filesystem::path shim, int shims_ready, listener on_report);
  ~run_control(); // lets go: idle shims end, runs go on

  [[nodiscard]] std::filesystem::path directory_of(batch_id batch) const;

  // Makes the run directory and hands it to a shim. Errors: io, disk_full, not_found (no shim program); then nothing was started
  // and no directory remains. A program that cannot be started is not an error here: the run ends with an exited event.
  // A spec that asks for a worker goes to the one with that id; where there is none yet (spec.worker->id is this batch's number),
  // it is started first. Errors then also: unavailable (that worker is gone, or has another batch).
  [[nodiscard]] result<void> launch(const run_spec& spec);
  // Makes the run directory for a worker that may have another batch still: it is handed over the moment that one is over. Errors
  // as above. Should the worker go before, it is reported as over, and never started.
  [[nodiscard]] result<void> launch_next(const run_spec& spec);
  // True: it had not been handed over yet, and nothing of it remains.
  bool withdraw(batch_id batch);
  // TERM to everything the run started, then KILL after `grace`; a second call can shorten the grace. Harmless for a run that is
  // over. `reason` comes back in stopped_by.
  // `jobs`: of a worker's batch only these are asked to end; the worker is ended where they do not within the grace.
  void stop(batch_id batch, const std::string& reason, std::chrono::milliseconds grace, std::vector<job_id> jobs = {});

  // ---- workers; their folders lie beside that of the runs ----

  // TERM, then KILL after `grace`; nothing happens while it has a batch. A report says when it is gone.
  void end_worker(worker_id worker, std::chrono::milliseconds grace);
  // What the last daemon left.
  struct worker_found {
    worker_id id;
    std::string type, device, warm;
    std::uint64_t warm_number = 0;
    std::int64_t memory_mib = 0;
    bool is_alive = false; // its shim holds the lock
  };
  [[nodiscard]] std::vector<worker_found> find_workers() const;
  [[nodiscard]] std::filesystem::path worker_directory_of(worker_id worker) const;
  // It is connected, or sought: a report of its end will come.
  [[nodiscard]] bool is_known(worker_id worker) const;
  // Connects to one that is alive: then it can be given batches, and a report says when it is gone.
  void adopt_worker(worker_id worker);
  // Ends what is left of a worker (KILL to all, waits until gone) and removes its folder. Errors: io when something survives 10 s.
  [[nodiscard]] result<void> bury_worker(worker_id worker) const;
  // The worker that a run's spec names; none for other runs.
  [[nodiscard]] worker_id worker_of(batch_id batch) const;
  // Everything in the process table that belongs to a worker of this folder.
  [[nodiscard]] std::map<worker_id, std::vector<int>> find_worker_processes() const;

  // After a restart, before adopt(). Ends nothing.
  [[nodiscard]] run_condition inspect(batch_id batch) const;
  // Follows a run that is alive from its first event on. It may have ended since inspect(): then its end is reported, and if it was
  // lost, what it left is ended first. Errors: not_found (no directory), conflict (it is followed already).
  [[nodiscard]] result<void> adopt(batch_id batch);
  // Ends what a lost run left behind (KILL to all, waits until gone). Errors: io when something survives 10 s.
  [[nodiscard]] result<void> end_survivors(batch_id batch) const;
  // When the run printed last; nothing before it printed anything.
  [[nodiscard]] std::optional<instant> last_output(batch_id batch) const;
  // Does its shim live?
  [[nodiscard]] bool is_supervised(batch_id batch) const;
  // Everything in the process table that belongs to a run of this folder, whether anybody follows it or not.
  [[nodiscard]] std::map<batch_id, std::vector<int>> find_processes() const;
  // Removes what an interrupted launch left (names that begin with ".new-").
  void sweep() const;

private:
  [[nodiscard]] result<void> hand_over(const run_spec& spec, bool may_wait);

  struct implementation;
  std::unique_ptr<implementation> impl_;
};

} // namespace ferry::runners
