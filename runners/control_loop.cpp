#include "runners/control_loop.hpp"

#include "model/nesting.hpp"
#include <algorithm>
#include <array>
#include <cerrno>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace ferry::runners {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t wake_source = 0;
constexpr std::uint64_t child_source = std::uint64_t{1} << 63U; // with a pidfd in the lower half; else a connection's number
constexpr auto farewell_max = 200ms;
constexpr int dead_shims_max = 16; // met in a row before a launch is given up

int open_pid(int pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }

void reap_by(int pidfd) {
  siginfo_t info{};
  ::waitid(P_PIDFD, static_cast<id_t>(pidfd), &info,
           WEXITED | WNOHANG); // fails for a shim of another daemon, which is not ours to reap
}

// Of two requests for the same run: one for all of it outweighs one for some of its jobs.
void merge(stop_request& into, const stop_request& other) {
  into.grace = std::min(into.grace, other.grace);
  if (into.jobs.empty())
    return;
  if (other.jobs.empty()) {
    into.reason = other.reason;
    into.jobs.clear();
    return;
  }
  for (const job_id job : other.jobs)
    if (std::find(into.jobs.begin(), into.jobs.end(), job) == into.jobs.end())
      into.jobs.push_back(job);
}

} // namespace

control_loop::control_loop(std::filesystem::path runs, std::filesystem::path workers, std::filesystem::path shim, int shims_ready,
                           run_control::listener on_report)
    : runs_(std::move(runs)),
      workers_dir_(std::move(workers)),
      shim_(std::move(shim)),
      on_report_(std::move(on_report)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      idle_(std::max(shims_ready, 0)) {
  watch(wake_.get(), wake_source);
  thread_ = std::thread([this] { work(); });
}

control_loop::~control_loop() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake();
  thread_.join();
  // Idle shims end when their socket closes; they are waited for a moment, so that they do not outlive this as zombies.
  std::vector<descriptor> ending;
  for (auto& [number, each] : connections_)
    if (each.reusable && each.batch.is_none())
      ending.emplace_back(open_pid(each.pid));
  connections_.clear();
  for (auto& [number, pidfd] : ending_shims_)
    ending.push_back(std::move(pidfd));
  const auto until = clock::now() + farewell_max;
  for (const descriptor& each : ending) {
    pollfd waited{each.get(), POLLIN, 0};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock::now());
    if (each && ::poll(&waited, 1, static_cast<int>(std::max(left, 0ms).count())) > 0)
      reap_by(each.get());
  }
}

result<void> control_loop::hand_over(handover what) {
  const std::lock_guard guard(mutex_);
  if (!what.worker.is_none() && !what.worker_lock)
    return hand_to_worker(what);
  std::vector<int> passed{what.lock.get(), what.directory.get()};
  if (what.worker_lock) {
    passed.push_back(what.worker_lock.get());
    passed.push_back(what.worker_directory.get());
  }
  for (int tries = 0; tries < dead_shims_max; ++tries) {
    std::uint64_t number = idle_.take();
    if (number == 0) {
      auto added = add_shim();
      if (!added)
        return fail(std::move(added.error()));
      number = *added;
    }
    connection& shim = connections_.at(number);
    if (!send(shim.socket.get(), what.command, passed))
      continue; // it was killed; the loop will hear of that
    if (!what.worker.is_none()) {
      shim.worker = what.worker;
      shim.reusable = false;
      workers_.insert_or_assign(what.worker, number);
    }
    follow_handed(what, number);
    if (idle_.wants_more()) {
      tend_pool_ = true;
      wake();
    }
    return {}; // the locks are now held by the descriptors on their way
  }
  return fail(error_code::io, "no shim stays alive: " + shim_.string() + " ends as soon as it is started");
}

result<void> control_loop::hand_to_worker(handover& what) {
  const auto known = workers_.find(what.worker);
  if (known == workers_.end())
    return fail(error_code::unavailable, "worker " + to_string(what.worker) + " is gone");
  connection& shim = connections_.at(known->second);
  if (!shim.batch.is_none() && what.may_wait) {
    shim.next.push_back(std::move(what));
    return {};
  }
  if (!shim.batch.is_none())
    return fail(error_code::unavailable, "worker " + to_string(what.worker) + " has batch " + to_string(shim.batch));
  if (!send(shim.socket.get(), what.command, {what.lock.get(), what.directory.get()}))
    return fail(error_code::unavailable, "worker " + to_string(what.worker) + " does not listen");
  follow_handed(what, known->second);
  return {};
}

// Its worker is done with a batch. What cannot be handed over stays where it is: its shim is about to be found gone, or it is
// withdrawn.
void control_loop::hand_next(std::uint64_t number) {
  auto& next = connections_.at(number).next;
  if (next.empty() ||
      !send(connections_.at(number).socket.get(), next.front().command, {next.front().lock.get(), next.front().directory.get()}))
    return;
  handover handed = std::move(next.front());
  next.pop_front();
  follow_handed(handed, number);
}

bool control_loop::withdraw(batch_id batch) {
  const std::lock_guard guard(mutex_);
  for (auto& [number, each] : connections_)
    if (std::erase_if(each.next, [&](const handover& one) { return one.batch == batch; }) > 0)
      return true;
  return false;
}

void control_loop::follow_handed(handover& what, std::uint64_t number) {
  connections_.at(number).batch = what.batch;
  run& made = running_[what.batch];
  made.directory = std::move(what.directory);
  made.shim = number;
}

result<void> control_loop::adopt(batch_id batch) {
  const auto path = runs_ / to_string(batch);
  descriptor directory = open_directory(path);
  if (!directory)
    return fail(error_code::not_found, "no run directory " + path.string());
  const std::lock_guard guard(mutex_);
  if (running_.contains(batch))
    return fail(error_code::conflict, "batch " + to_string(batch) + " is followed already");
  run& found = running_[batch];
  found.directory = std::move(directory);
  found.now = phase::sought;
  look_at(batch, found, 0ms);
  wake();
  return {};
}

void control_loop::stop(const stop_request& request) {
  const std::lock_guard guard(mutex_);
  const auto found = running_.find(request.batch);
  if (found == running_.end())
    return;
  run& one = found->second;
  if (!one.stop_waiting)
    one.stop_waiting = request;
  else
    merge(*one.stop_waiting, request);
  try_to_stop(request.batch, one);
}

// Leaves the request waiting where the shim is not found yet.
void control_loop::try_to_stop(batch_id batch, run& one) {
  if (!one.stop_waiting || one.now != phase::followed)
    return;
  if (send(connections_.at(one.shim).socket.get(), to_packet(*one.stop_waiting)))
    one.stop_waiting.reset();
  else
    look_at(batch, one, 10ms);
}

void control_loop::end_worker(worker_id worker, std::chrono::milliseconds grace) {
  const std::lock_guard guard(mutex_);
  if (const auto known = workers_.find(worker); known != workers_.end())
    send(connections_.at(known->second).socket.get(), end_worker_packet(grace));
  else if (const auto sought = sought_workers_.find(worker); sought != sought_workers_.end())
    sought->second.end_grace = std::min(sought->second.end_grace.value_or(grace), grace);
}

bool control_loop::is_known(worker_id worker) const {
  const std::lock_guard guard(mutex_);
  return workers_.contains(worker) || sought_workers_.contains(worker);
}

void control_loop::adopt_worker(worker_id worker) {
  const std::lock_guard guard(mutex_);
  if (!workers_.contains(worker))
    sought_workers_.emplace(worker, sought_worker{});
  wake();
}

void control_loop::look_at(batch_id batch, run& one, std::chrono::milliseconds from_now) {
  one.due = clock::now() + from_now;
  restless_.insert(batch);
  wake();
}

void control_loop::wake() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
}

void control_loop::watch(int descriptor, std::uint64_t source) const {
  epoll_event wanted{};
  wanted.events = EPOLLIN;
  wanted.data.u64 = source;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &wanted);
}

std::uint64_t control_loop::add_connection(connection made) {
  const std::uint64_t number = ++last_number_;
  watch(made.socket.get(), number);
  connections_.emplace(number, std::move(made));
  return number;
}

result<std::uint64_t> control_loop::add_shim() {
  auto started = start_shim(shim_);
  if (!started)
    return fail(std::move(started.error()));
  return add_connection({std::move(started->socket), started->pid, true, {}});
}

void control_loop::work() {
  std::array<epoll_event, 64> ready{};
  for (;;) {
    tend_pool();
    const int count = ::epoll_wait(epoll_.get(), ready.data(), static_cast<int>(ready.size()), wait_ms());
    for (int i = 0; i < count; ++i) {
      const std::uint64_t source = ready.at(static_cast<std::size_t>(i)).data.u64;
      if (source == wake_source) {
        std::uint64_t times = 0;
        [[maybe_unused]] const auto read = ::read(wake_.get(), &times, sizeof times);
      } else if ((source & child_source) != 0) {
        reap(source);
      } else {
        hear(source);
      }
    }
    std::vector<batch_id> due;
    std::vector<worker_id> workers_due;
    {
      const std::lock_guard guard(mutex_);
      if (ending_)
        return;
      for (const batch_id batch : restless_)
        if (running_.at(batch).due <= clock::now())
          due.push_back(batch);
      for (const auto& [worker, sought] : sought_workers_)
        if (sought.due <= clock::now())
          workers_due.push_back(worker);
    }
    for (const worker_id worker : workers_due)
      seek_worker(worker);
    for (const batch_id batch : due)
      attend(batch);
  }
}

int control_loop::wait_ms() {
  const std::lock_guard guard(mutex_);
  auto due = idle_.surplus_due();
  for (const batch_id batch : restless_)
    due = std::min(due, running_.at(batch).due);
  for (const auto& [worker, sought] : sought_workers_)
    due = std::min(due, sought.due);
  if (due == clock::time_point::max())
    return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - clock::now());
  return static_cast<int>(std::clamp<std::chrono::milliseconds>(left, 0ms, 1min).count());
}

void control_loop::tend_pool() {
  for (;;) {
    {
      const std::lock_guard guard(mutex_);
      if (!tend_pool_ || !idle_.wants_more() || ending_)
        break;
    }
    auto started = start_shim(shim_); // without the lock: a launch need not wait for it
    const std::lock_guard guard(mutex_);
    if (!started)
      break; // the next launch will say so
    idle_.add(add_connection({std::move(started->socket), started->pid, true, {}}));
  }
  const std::lock_guard guard(mutex_);
  tend_pool_ = false;
  while (const std::uint64_t number = idle_.take_surplus(clock::now()))
    let_go(number);
}

void control_loop::hear(std::uint64_t number) {
  std::unique_lock lock(mutex_);
  const auto from = connections_.find(number);
  if (from == connections_.end())
    return;
  const receipt what = receive(from->second.socket.get(), received_);
  if (what == receipt::closed) {
    const auto never_handed = shim_is_gone(number);
    lock.unlock();
    for (const batch_id batch : never_handed)
      on_report_({.batch = batch, .events = {}, .over = true, .never_handed = true});
  }
  if (what != receipt::got)
    return;
  const auto said = notice_from(received_.bytes);
  if (!said || said->batch != from->second.batch)
    return;
  const auto about = running_.find(said->batch);
  if (about == running_.end())
    return;
  auto events = events_of(*said, about->second);
  const bool over = has_end(events);
  if (over)
    forget(said->batch);
  lock.unlock();
  deliver(said->batch, std::move(events), over);
}

std::vector<run_event> control_loop::events_of(const notice& said, run& of) const {
  std::vector<run_event> events;
  if (said.what == notice::kind::events) {
    of.events.take(of.directory.get(), said.offset, said.bytes, events);
    return events;
  }
  const json line = parse_bounded(said.bytes, event_depth_max);
  if (auto event = line.is_discarded() ? fail(error_code::invalid_argument, "") : run_event_from(line))
    events.push_back(std::move(*event));
  return events;
}

void control_loop::forget(batch_id batch) {
  const auto found = running_.find(batch);
  if (const auto shim = connections_.find(found->second.shim); shim != connections_.end()) {
    shim->second.batch = {};
    if (shim->second.reusable)
      idle_.add(shim->first);
    else if (shim->second.worker.is_none())
      let_go(shim->first);
    else
      hand_next(shim->first);
  }
  restless_.erase(batch);
  running_.erase(found);
}

// It has ended, or was killed, or has no room for another follower: its lock and its record will tell. Which batches waited for it:
// their locks are let go, and they never started.
std::vector<batch_id> control_loop::shim_is_gone(std::uint64_t number) {
  std::vector<batch_id> never_handed;
  for (const handover& one : connections_.at(number).next)
    never_handed.push_back(one.batch);
  const batch_id batch = connections_.at(number).batch;
  const worker_id worker = connections_.at(number).worker;
  idle_.remove(number);
  let_go(number);
  if (!worker.is_none()) {
    workers_.erase(worker);
    sought_workers_.emplace(worker, sought_worker{clock::now()});
  }
  if (const auto found = running_.find(batch); found != running_.end() && found->second.shim == number) {
    found->second.shim = 0;
    found->second.now = phase::sought;
    look_at(batch, found->second, 0ms);
  }
  return never_handed;
}

void control_loop::let_go(std::uint64_t number) {
  descriptor ending(open_pid(connections_.at(number).pid));
  if (ending) {
    watch(ending.get(), child_source | static_cast<std::uint64_t>(ending.get()));
    ending_shims_.emplace(ending.get(), std::move(ending));
  }
  connections_.erase(number);
}

void control_loop::reap(std::uint64_t source) {
  const int pidfd = static_cast<int>(source & ~child_source);
  const std::lock_guard guard(mutex_);
  reap_by(pidfd);
  ending_shims_.erase(pidfd);
}

void control_loop::deliver(batch_id batch, std::vector<run_event> events, bool over) const {
  if (over || !events.empty())
    on_report_({.batch = batch, .events = std::move(events), .over = over});
}

} // namespace ferry::runners
