// What becomes of runs and workers whose shim is not connected: after a restart of the daemon, or when a shim was killed.
#include "runners/control_loop.hpp"

#include <algorithm>
#include <sys/socket.h>

namespace ferry::runners {
namespace {

using namespace std::chrono_literals;

constexpr auto pause_max = 200ms;

} // namespace

bool control_loop::has_end(const std::vector<run_event>& events) {
  return std::any_of(events.begin(), events.end(), [](const run_event& e) { return std::holds_alternative<run_exited>(e); });
}

void control_loop::attend(batch_id batch) {
  std::unique_lock lock(mutex_);
  const auto found = running_.find(batch);
  if (found == running_.end())
    return;
  run& one = found->second;
  if (one.now == phase::followed) {
    one.due = clock::time_point::max();
    restless_.erase(batch);
    try_to_stop(batch, one);
    return;
  }
  if (one.now == phase::pursued) {
    lock.unlock();
    pursue(batch);
    return;
  }
  std::vector<run_event> events;
  const bool over = seek(batch, one, events);
  if (over)
    forget(batch);
  lock.unlock();
  deliver(batch, std::move(events), over);
}

// True: the run's end is on record.
bool control_loop::seek(batch_id batch, run& one, std::vector<run_event>& events) {
  one.events.read(one.directory.get(), events);
  if (has_end(events))
    return true;
  if (const std::uint64_t number = connect_to_shim(one.directory.get(), batch, {}); number != 0) {
    // What it writes from here on it tells; what it wrote since the look above it tells first.
    one.shim = number;
    one.now = phase::followed;
    one.due = clock::time_point::max();
    restless_.erase(batch);
    try_to_stop(batch, one);
    return false;
  }
  one.pause = std::min<std::chrono::milliseconds>(one.pause * 2, pause_max);
  if (probe_lock(one.directory.get()) == lock_state::held) {
    look_at(batch, one, one.pause); // it has not yet noticed that its daemon is gone, or it is about to end
    return false;
  }
  one.events.read(one.directory.get(), events); // what it wrote before it let go of the lock
  if (has_end(events))
    return true;
  one.now = phase::pursued;
  look_at(batch, one, 0ms);
  return false;
}

std::uint64_t control_loop::connect_to_shim(int directory, batch_id batch, worker_id worker) {
  descriptor socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const sockaddr_un address = control_address(directory);
  if (!socket || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return 0;
  const auto shim = read_shim_identity(directory);
  return add_connection({std::move(socket), shim ? shim->pid : 0, false, batch, worker});
}

// Its shim is connected to; or it is gone, what is left of it is ended, and that is told.
void control_loop::seek_worker(worker_id worker) {
  const auto path = workers_dir_ / to_string(worker);
  const descriptor directory = open_directory(path);
  bool held = false;
  {
    const std::lock_guard guard(mutex_);
    if (const std::uint64_t number = directory ? connect_to_shim(directory.get(), {}, worker) : 0; number != 0) {
      workers_.insert_or_assign(worker, number);
      if (const auto grace = sought_workers_.at(worker).end_grace)
        send(connections_.at(number).socket.get(), end_worker_packet(*grace));
      sought_workers_.erase(worker);
      return;
    }
    held = directory && probe_lock(directory.get()) == lock_state::held; // it has not yet noticed, or is about to end
  }
  const bool gone = !held && end_now(run_traces::of_worker(path));
  {
    const std::lock_guard guard(mutex_);
    auto& sought = sought_workers_.at(worker);
    if (!gone) {
      sought.pause = std::min<std::chrono::milliseconds>(sought.pause * 2, pause_max);
      sought.due = clock::now() + sought.pause;
      return;
    }
    sought_workers_.erase(worker);
  }
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
  on_report_({.batch = {}, .events = {}, .over = false, .worker = worker});
}

void control_loop::pursue(batch_id batch) {
  const run_traces traces(runs_ / to_string(batch));
  const bool alone = end_now(traces);
  std::unique_lock lock(mutex_);
  run& one = running_.at(batch);
  if (!alone) {
    one.pause = std::min<std::chrono::milliseconds>(one.pause * 2, pause_max);
    look_at(batch, one, one.pause);
    return;
  }
  forget(batch);
  lock.unlock();
  deliver(batch, {}, true);
}

} // namespace ferry::runners
