#include "runners/shim/supervisor.hpp"

#include "config/limits.hpp"
#include "model/nesting.hpp"
#include "runners/shim/supervised_run.hpp"
#include "scheduling/outcome.hpp"

#include <algorithm>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ferry::runners {
namespace {

using namespace std::chrono_literals;
using clock = shim_run::clock;

constexpr std::size_t followers_max = 8;
constexpr auto control_pause = 500ms; // between tries to make control.sock on a full disk
// A daemon that listens stores the end of a run by itself, within milliseconds and durably: a sync of the record as well would make
// every short run wait for the disk's journal, and every commit of the daemon too. Should the daemon go, it may not have stored the
// last ones, so these are synced then.
constexpr std::size_t unsynced_max = 64;
constexpr auto idle_grace = 10s; // for a worker that nobody needs any more

// Its program never ran. By the reason for the stop it is tried again as what was ended by the lease.
void refuse_for_lease(shim_run& run, error why) {
  run.refuse({.kind = failure_kind::lost, .message = std::move(why.what)}, std::string(scheduling::lease_ended_text));
}

int milliseconds_until(clock::time_point due) {
  if (due == clock::time_point::max())
    return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - clock::now());
  return static_cast<int>(std::clamp<std::chrono::milliseconds>(left, 0ms, 1h).count());
}

} // namespace

supervisor::supervisor(descriptor launcher, descriptor child_signals)
    : launcher_(std::move(launcher)), child_signals_(std::move(child_signals)) {}

void supervisor::serve() {
  while (launcher_ || run_ || worker_) {
    wait();
    if (!launcher_ && run_)
      open(run_door_, run_->directory());
    if (!launcher_ && worker_)
      open(worker_door_, worker_->directory());
    if (worker_)
      worker_->proceed();
    if (run_) {
      run_->proceed();
      if (run_->is_over())
        let_go_of_run();
    }
    if (worker_)
      tend_worker();
  }
  sync_records();
}

clock::time_point supervisor::next_due() const {
  auto due = run_ ? run_->next_due() : clock::time_point::max();
  if (run_ && !launcher_ && !run_door_.listener)
    due = std::min(due, run_door_.due);
  if (worker_) {
    due = std::min(due, worker_->next_due());
    if (!launcher_ && !worker_door_.listener)
      due = std::min(due, worker_door_.due);
    if (!launcher_ && followers_.empty() && !run_ && !worker_->is_ending())
      due = std::min(due, idle_since_ + keep_alive_);
  }
  return due;
}

void supervisor::wait() {
  const short for_launcher = missed_ ? POLLIN | POLLOUT : POLLIN;
  std::vector<pollfd> sources{{launcher_.get(), for_launcher, 0},
                              {child_signals_.get(), POLLIN, 0},
                              {run_door_.listener.get(), POLLIN, 0},
                              {worker_door_.listener.get(), POLLIN, 0}};
  const std::size_t first_of_worker = sources.size();
  if (worker_)
    worker_->watch(sources);
  const std::size_t first_follower = sources.size();
  for (const follower& one : followers_)
    sources.push_back({one.socket.get(), static_cast<short>(one.missed ? POLLIN | POLLOUT : POLLIN), 0});
  if (::poll(sources.data(), sources.size(), milliseconds_until(next_due())) <= 0)
    return;
  if (sources[1].revents != 0) {
    signalfd_siginfo which{};
    [[maybe_unused]] const auto size = ::read(child_signals_.get(), &which, sizeof which); // what ended is found by waiting for it
  }
  if (worker_)
    hear_worker(sources, first_of_worker);
  if ((sources[0].revents & POLLOUT) != 0)
    catch_up();
  if ((sources[0].revents & ~POLLOUT) != 0)
    hear_launcher();
  for (std::size_t i = 0; i < followers_.size(); ++i)
    if (const auto happened = sources[i + first_follower].revents; happened != 0) {
      if (followers_[i].missed && (happened & POLLOUT) != 0 &&
          send(followers_[i].socket.get(), to_packet(notice{notice::kind::events, *followers_[i].missed, -1, {}})))
        followers_[i].missed.reset();
      if ((happened & ~POLLOUT) != 0)
        hear_follower(followers_[i]);
    }
  std::erase_if(followers_, [](const follower& one) { return !one.socket; });
  if (sources[2].revents != 0)
    admit_follower(run_door_.listener);
  if (sources[3].revents != 0)
    admit_follower(worker_door_.listener);
}

void supervisor::hear_launcher() {
  switch (receive(launcher_.get(), received_)) {
  case receipt::got: obey(received_); break;
  case receipt::closed: launcher_is_gone(); break;
  case receipt::nothing_yet: break;
  }
}

void supervisor::hear_follower(follower& from) {
  switch (receive(from.socket.get(), received_)) {
  case receipt::got: obey(received_); break;
  case receipt::closed: from.socket.reset(); break;
  case receipt::nothing_yet: break;
  }
}

void supervisor::obey(packet& received) {
  const json command = json::parse(received.bytes, nullptr, false);
  try {
    const std::string type = command.at("type").get<std::string>();
    if (type == "run" && !run_)
      start_run(command, std::move(received.descriptors));
    const bool mine = run_ && command.value("batch", std::int64_t{0}) == run_->batch().value;
    const std::chrono::milliseconds grace{command.value("grace_ms", std::int64_t{0})};
    if (type == "stop" && mine) {
      stop_request request{run_->batch(), command.value("reason", std::string()), grace};
      for (const json& job : command.value("jobs", json::array()))
        request.jobs.push_back(job_id{job.get<std::int64_t>()});
      run_->stop(request);
    }
    if (type == "end_worker" && worker_ && !run_)
      worker_->end(grace);
  } catch (const json::exception&) {
    // A daemon of another version: what is not understood is not done.
  }
}

event_log::announcer supervisor::announcer() {
  return [this](const notice& what) { announce(what); };
}

void supervisor::start_run(const json& command, std::vector<descriptor> passed) {
  if (passed.size() < 2)
    return;
  const auto given = command.find("spec");
  auto spec = given == command.end() ? read_spec(passed[1].get()) : run_spec_from(*given);
  if (spec && spec->worker) {
    start_worker_run(std::move(*spec), std::move(passed));
    return;
  }
  if (!spec) {
    run_spec unknown;
    unknown.batch = batch_id{command.value("batch", std::int64_t{0})};
    run_ = std::make_unique<supervised_run>(std::move(unknown), lease_watch(), std::move(passed[0]), std::move(passed[1]),
                                            announcer());
    run_->refuse(spec.error().what);
    return;
  }
  auto lease = lease_watch::of(*spec);
  run_ = std::make_unique<supervised_run>(std::move(*spec), lease.value_or(lease_watch()), std::move(passed[0]),
                                          std::move(passed[1]), announcer());
  if (!lease)
    refuse_for_lease(*run_, std::move(lease.error()));
  else if (!run_->start(identity_)) {
    // There is nowhere to say so but by being gone; without shim.json the run counts as never started.
    run_.reset();
    launcher_.reset();
  }
}

// ---- the worker -------------------------------------------------------------------------------------------------------------

void supervisor::start_worker_run(run_spec spec, std::vector<descriptor> passed) {
  const bool fresh = passed.size() == 4;
  if (fresh == (worker_ != nullptr) || (worker_ && (worker_->is_ending() || worker_->id() != spec.worker->id)))
    return; // the lock is let go: it never started
  keep_alive_ = spec.worker->keep_alive;
  auto lease = lease_watch::of(spec);
  std::optional<error> refused;
  if (fresh) {
    worker_ = std::make_unique<worker_process>(spec, std::move(passed[2]), std::move(passed[3]));
    if (auto started = lease ? worker_->start(identity_) : result<void>(); !started)
      refused = started.error();
  }
  auto run = std::make_unique<worker_run>(std::move(spec), lease.value_or(lease_watch()), std::move(passed[0]),
                                          std::move(passed[1]), announcer(), *worker_, worker_is_ready_);
  worker_run_ = run.get();
  run_ = std::move(run);
  if (!lease)
    refuse_for_lease(*run_, std::move(lease.error()));
  else if (refused)
    run_->refuse(std::move(refused->what));
  else if (!run_->start(identity_)) { // as above
    worker_run_ = nullptr;
    run_.reset();
    worker_->end(0ms);
  }
}

void supervisor::hear_worker(const std::vector<pollfd>& sources, std::size_t first) {
  const auto said = [this](std::string_view text) {
    const json line = json::parse(text, nullptr, false);
    if (line.is_object() && nesting_of(text) > limits::json_depth_max) { // it could not be written down
      if (worker_run_)
        worker_run_->break_worker(
            {failure_kind::reported, "its worker broke the protocol: it printed a line that nests too deeply"});
    } else if (!worker_is_ready_ && line.is_object() && line.contains("type") && line.at("type") == "ready") {
      worker_is_ready_ = true;
      if (worker_run_)
        worker_run_->worker_ready();
    } else if (worker_run_) {
      worker_run_->said(line, text);
    }
  };
  const auto printed = [this](std::string_view bytes) {
    if (worker_run_)
      worker_run_->printed(bytes);
  };
  worker_->hear(sources, first, {said, printed});
  if (std::exchange(overlong_, worker_->overlong()) != worker_->overlong() && worker_run_)
    worker_run_->break_worker({failure_kind::reported, "its worker broke the protocol: it printed a line that is too long"});
}

void supervisor::tend_worker() {
  if (!run_ && (worker_->pid() == 0 || worker_->is_gone()))
    let_go_of_worker();
  else if (!run_ && !launcher_ && followers_.empty() && clock::now() >= idle_since_ + keep_alive_)
    worker_->end(idle_grace);
}

void supervisor::let_go_of_worker() {
  if (worker_door_.listener)
    ::unlinkat(worker_->directory(), run_file::control, 0);
  worker_.reset();
  worker_door_.listener.reset();
  // Its end is told by the end of this shim.
  launcher_.reset();
  followers_.clear();
}

void supervisor::announce(const notice& what) {
  const std::string packet = to_packet(what);
  // Who does not listen misses it: the file has it, and the next notice makes them look there.
  if (launcher_ && !send(launcher_.get(), packet) && what.what == notice::kind::events)
    missed_ = what.batch;
  for (follower& one : followers_)
    if (!send(one.socket.get(), packet) && what.what == notice::kind::events)
      one.missed = what.batch;
}

void supervisor::catch_up() {
  if (missed_ && send(launcher_.get(), to_packet(notice{notice::kind::events, *missed_, -1, {}})))
    missed_.reset();
}

void supervisor::launcher_is_gone() {
  launcher_.reset();
  missed_.reset();
  sync_records();
  run_door_.due = worker_door_.due = idle_since_ = clock::now();
}

void supervisor::open(door& what, int directory) {
  if (what.listener || clock::now() < what.due)
    return;
  what.due = clock::now() + control_pause;
  descriptor listener(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener)
    return;
  ::unlinkat(directory, run_file::control, 0);
  const sockaddr_un address = control_address(directory);
  const mode_t before = ::umask(0177);
  const int bound = ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::umask(before);
  if (bound == 0 && ::listen(listener.get(), static_cast<int>(followers_max)) == 0)
    what.listener = std::move(listener);
}

void supervisor::admit_follower(const descriptor& listener) {
  descriptor accepted(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!accepted || followers_.size() >= followers_max)
    return;
  // What was written before it came is in the file.
  if (run_)
    send(accepted.get(), to_packet(notice{notice::kind::events, run_->batch(), -1, {}}));
  followers_.push_back({std::move(accepted)});
}

void supervisor::let_go_of_run() {
  if (run_door_.listener)
    ::unlinkat(run_->directory(), run_file::control, 0);
  run_door_.listener.reset();
  unsynced_.push_back(run_->take_record());
  if (!launcher_)
    sync_records();
  else if (unsynced_.size() > unsynced_max)
    unsynced_.pop_front();
  worker_run_ = nullptr;
  run_.reset();
  idle_since_ = clock::now();
}

void supervisor::sync_records() {
  for (const descriptor& record : unsynced_)
    ::fdatasync(record.get());
  unsynced_.clear();
}

} // namespace ferry::runners
