#include "runners/shim/supervised_run.hpp"

#include "runners/process_table.hpp"
#include "runners/shim/artifact_list.hpp"
#include "runners/shim/job_process.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <fcntl.h>
#include <sys/wait.h>

namespace ferry::runners {
namespace {

using namespace std::chrono_literals;

constexpr auto leftovers_grace = 2s; // for what outlives the process, where nobody set another
constexpr auto kill_pause_max = 1000ms;
constexpr auto record_pause = 500ms; // between tries to write the end on a full disk
// Progress in smaller steps than these is told to the daemon and not stored, so that a run of weeks has a short file.
constexpr double stored_fraction_step = 0.01;
constexpr auto stored_pause = 10s;

} // namespace

supervised_run::supervised_run(run_spec spec, descriptor lock, descriptor directory, event_log::announcer announce)
    : spec_(std::move(spec)), lock_(std::move(lock)), directory_(std::move(directory)), log_(spec_.batch, std::move(announce)) {}

result<void> supervised_run::start(shim_record& shim) {
  if (auto opened = log_.open(directory_.get()); !opened)
    return opened;
  // Also for reading, which is the shim's own use of it.
  output_.reset(::openat(directory_.get(), run_file::output, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!output_) {
    record_launch_failure(system_error("cannot create output.log", errno).what);
    return {};
  }
  // Before the process: without a whole shim.json no process was ever made. It appears whole enough that way, for it is read only
  // once this shim is dead.
  if (auto written = shim.put_into(directory_.get()); !written) {
    record_launch_failure(written.error().what);
    return {};
  }
  const std::uint64_t before = ticks_since_boot();
  auto made = waiting_process::make(spec_, output_.get());
  if (!made) {
    record_launch_failure(made.error().what);
    return {};
  }
  pid_ = made->pid();
  json started = to_json(run_event(run_started{pid_, wall_clock_now()}));
  // The process's start time lies between these: it tells the process from another with its pid, should the shim be killed.
  started["start_ticks"] = {before, ticks_since_boot()};
  log_.add(started);
  log_.flush(); // on a full disk it waits: then FERRY_RUN_DIR in its environment is what the process is known by
  if (auto gone = made->let_go(); !gone) {
    pid_ = 0;
    record_launch_failure(gone.error().what);
    return {};
  }
  watch_.emplace(spec_, directory_.get(), output_.get());
  look_due_ = clock::now() + watch_->pause();
  return {};
}

void supervised_run::refuse(std::string why) {
  if (log_.open(directory_.get()))
    record_launch_failure(std::move(why));
  else
    stage_ = stage::over;
}

supervised_run::clock::time_point supervised_run::next_due() const {
  switch (stage_) {
  case stage::running: return look_due_;
  case stage::asked_to_end: return std::min(look_due_, kill_due_);
  case stage::killing: return kill_due_;
  case stage::recording: return record_due_;
  case stage::over: break;
  }
  return clock::time_point::max();
}

void supervised_run::stop(const stop_request& request) {
  if (stage_ == stage::recording || stage_ == stage::over)
    return;
  if (stopped_by_.empty() && !status_)
    stopped_by_ = request.reason.empty() ? "stopped" : request.reason;
  const auto grace = std::clamp(request.grace, 0ms, std::chrono::milliseconds(24h));
  if (stage_ == stage::running)
    begin_ending(grace);
  else if (stage_ == stage::asked_to_end)
    kill_due_ = std::min(kill_due_, clock::now() + grace);
  proceed();
}

void supervised_run::proceed() {
  if (stage_ == stage::running || stage_ == stage::asked_to_end || stage_ == stage::killing) {
    reap();
    const auto now = clock::now();
    if (status_ && alone_) {
      record_end();
      return;
    }
    if (status_ && stage_ == stage::running)
      begin_ending(leftovers_grace);
    if ((stage_ == stage::running || stage_ == stage::asked_to_end) && now >= look_due_)
      look();
    if (stage_ == stage::asked_to_end && now >= kill_due_)
      stage_ = stage::killing;
    if (stage_ == stage::killing && now >= kill_due_)
      kill_all();
    return;
  }
  if (stage_ == stage::recording && clock::now() >= record_due_) {
    record_due_ = clock::now() + record_pause;
    if (log_.flush())
      stage_ = stage::over;
  }
}

void supervised_run::reap() {
  for (;;) {
    int status = 0;
    const pid_t ended = ::waitpid(-1, &status, WNOHANG);
    if (ended == pid_)
      status_ = status;
    if (ended == 0 || (ended < 0 && errno != EINTR)) {
      alone_ = ended < 0;
      return;
    }
  }
}

void supervised_run::look() {
  report(watch_->look(wall_clock_now()));
  log_.flush();
  look_due_ = clock::now() + watch_->pause();
}

void supervised_run::report(const progress_watch::findings& found) {
  for (const run_progressed& event : found.progress) {
    const json line = to_json(run_event(event));
    if (!is_worth_storing(event)) {
      log_.pass(line);
      continue;
    }
    stored_progress_[event.job] = {event.value, clock::now()};
    log_.add(line);
  }
  for (const run_event& event : found.events)
    log_.add(to_json(event));
}

bool supervised_run::is_worth_storing(const run_progressed& event) const {
  // A metric that is no number may be what the watchdog looks for, also in the next daemon.
  const auto& metrics = event.value.metrics;
  if (std::any_of(metrics.begin(), metrics.end(), [](const auto& metric) { return !std::isfinite(metric.second); }))
    return true;
  const auto last = stored_progress_.find(event.job);
  if (last == stored_progress_.end() || clock::now() - last->second.at >= stored_pause)
    return true;
  const auto before = last->second.value.fraction, after = event.value.fraction;
  return before.has_value() != after.has_value() || (after && std::abs(*after - *before) >= stored_fraction_step);
}

void supervised_run::begin_ending(std::chrono::milliseconds grace) {
  stage_ = stage::asked_to_end;
  kill_due_ = clock::now() + grace;
  signal_tree(SIGTERM);
  signal_tree(SIGCONT); // what is stopped could not heed the first
}

void supervised_run::kill_all() {
  signal_tree(SIGKILL);
  kill_due_ = clock::now() + kill_pause_;
  kill_pause_ = std::min<std::chrono::milliseconds>(kill_pause_ * 2, kill_pause_max);
}

void supervised_run::signal_tree(int signal) const {
  // The pid cannot have been given to another while its process is not waited for.
  if (!status_)
    ::kill(-pid_, signal);
  for (const process_entry& process : descendants_of({::getpid()}, list_processes()))
    if (status_ || process.group != pid_)
      send_signal(process, signal);
}

void supervised_run::record_end() {
  report(watch_->last_look(wall_clock_now()));
  if (watch_->ignored() > 0) // for people who wonder; no event that the daemon knows
    log_.add({{"type", "reported_lines_ignored"}, {"at", to_unix_ms(wall_clock_now())}, {"count", watch_->ignored()}});
  run_exited end;
  if (WIFEXITED(*status_))
    end.exit_status = WEXITSTATUS(*status_);
  else
    end.signal = WTERMSIG(*status_);
  end.stopped_by = stopped_by_;
  for (std::size_t i = 0; i < spec_.jobs.size(); ++i)
    end.artifacts.push_back(list_artifacts(spec_.jobs[i].dir, watch_->artifacts()[i]));
  end.at = wall_clock_now();
  log_.add(to_json(run_event(end)));
  stage_ = stage::recording;
  record_due_ = clock::now();
  proceed();
}

void supervised_run::record_launch_failure(std::string why) {
  run_exited end;
  end.why = failure{failure_kind::launch, std::move(why)};
  end.artifacts.resize(spec_.jobs.size());
  end.at = wall_clock_now();
  log_.add(to_json(run_event(end)));
  stage_ = stage::recording;
  record_due_ = clock::now();
  proceed();
}

} // namespace ferry::runners
