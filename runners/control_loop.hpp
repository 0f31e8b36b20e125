// The thread that follows every run of this daemon: hears the shims, reads what their runs say, finds shims again after a restart,
// and ends what a killed shim left behind. Everything here is safe to call from any thread, the listener's included.
#pragma once

#include "runners/packets.hpp"
#include "runners/run_control.hpp"
#include "runners/run_directory.hpp"
#include "runners/run_inspection.hpp"
#include "runners/shim_pool.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <unordered_map>

namespace ferry::runners {

class control_loop {
public:
  control_loop(std::filesystem::path runs, std::filesystem::path workers, std::filesystem::path shim, int shims_ready,
               run_control::listener on_report);
  ~control_loop();
  control_loop(const control_loop&) = delete;
  control_loop& operator=(const control_loop&) = delete;

  struct handover {
    batch_id batch;
    std::string command; // the packet
    descriptor directory, lock;
    worker_id worker = {};                              // that is to run it; none: a process of its own
    descriptor worker_directory = {}, worker_lock = {}; // of one that is yet to be started
  };
  // Hands a run directory and its lock to a shim. Errors: not_found, io, unavailable; then nothing was started.
  [[nodiscard]] result<void> hand_over(handover what);
  // Errors: not_found, conflict (it is followed already).
  [[nodiscard]] result<void> adopt(batch_id batch);
  void stop(const stop_request& request);
  void end_worker(worker_id worker, std::chrono::milliseconds grace);
  void adopt_worker(worker_id worker);
  [[nodiscard]] bool is_known(worker_id worker) const;

private:
  using clock = std::chrono::steady_clock;
  enum class phase {
    followed, // connected to its shim
    sought,   // its shim is to be found, or is gone
    pursued,  // its shim is gone without a record: what is left of it is being ended
  };
  struct run {
    descriptor directory;
    event_reader events;
    phase now = phase::followed;
    std::uint64_t shim = 0; // its connection; 0: none
    std::optional<stop_request> stop_waiting;
    clock::time_point due = clock::time_point::max();
    std::chrono::milliseconds pause{1};
  };
  struct connection {
    descriptor socket;
    int pid = 0;           // to be reaped when it is a child of this process
    bool reusable = false; // started by this process
    batch_id batch;
    worker_id worker; // that it is the shim of
  };
  // A worker whose shim is to be found, or is gone.
  struct sought_worker {
    clock::time_point due{};
    std::chrono::milliseconds pause{1};
    std::optional<std::chrono::milliseconds> end_grace = {}; // it is to end, once it is found
  };

  void work();
  [[nodiscard]] int wait_ms();
  void hear(std::uint64_t number);
  void reap(std::uint64_t source);
  void attend(batch_id batch);
  void pursue(batch_id batch);
  void seek_worker(worker_id worker);
  void tend_pool();
  void deliver(batch_id batch, std::vector<run_event> events, bool over) const;

  // With the lock held:
  [[nodiscard]] std::vector<run_event> events_of(const notice& said, run& of) const;
  [[nodiscard]] bool seek(batch_id batch, run& one, std::vector<run_event>& events);
  [[nodiscard]] std::uint64_t connect_to_shim(int directory, batch_id batch, worker_id worker);
  [[nodiscard]] result<void> hand_to_worker(handover& what);
  void follow_handed(handover& what, std::uint64_t number);
  void shim_is_gone(std::uint64_t number);
  void forget(batch_id batch);
  void let_go(std::uint64_t number);
  void look_at(batch_id batch, run& one, std::chrono::milliseconds from_now);
  void try_to_stop(batch_id batch, run& one);
  [[nodiscard]] result<std::uint64_t> add_shim();
  [[nodiscard]] std::uint64_t add_connection(connection made);

  void wake() const;
  void watch(int descriptor, std::uint64_t source) const;

  const std::filesystem::path runs_;
  const std::filesystem::path workers_dir_;
  const std::filesystem::path shim_;
  const run_control::listener on_report_;
  descriptor epoll_, wake_;

  mutable std::mutex mutex_; // guards what follows; the loop's thread alone removes from the maps
  idle_shims idle_;
  std::unordered_map<std::uint64_t, connection> connections_;
  std::unordered_map<batch_id, run> running_;
  std::set<batch_id> restless_;                          // runs with something due
  std::unordered_map<worker_id, std::uint64_t> workers_; // their connections
  std::map<worker_id, sought_worker> sought_workers_;
  std::uint64_t last_number_ = 0;
  bool tend_pool_ = true;
  bool ending_ = false;

  packet received_;                        // the loop's own
  std::map<int, descriptor> ending_shims_; // by number, pidfds of children to be reaped
  std::thread thread_;
};

} // namespace ferry::runners
