#include "runners/shim/supervised_run.hpp"

#include "runners/process_table.hpp"
#include "runners/shim/artifact_list.hpp"
#include "runners/shim/job_process.hpp"
#include "scheduling/outcome.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/wait.h>

namespace ferry::runners {
namespace {

using namespace std::chrono_literals;

constexpr auto leftovers_grace = 2s; // for what outlives the process, where nobody set another
constexpr auto record_pause = 500ms; // between tries to write the end on a full disk

failure launch_failure(const error& why) { return {.kind = failure_kind::launch, .message = why.what}; }

} // namespace

supervised_run::supervised_run(run_spec spec, lease_watch lease, descriptor lock, descriptor directory,
                               event_log::announcer announce)
    : spec_(std::move(spec)),
      lease_(std::move(lease)),
      lock_(std::move(lock)),
      directory_(std::move(directory)),
      journal_(spec_.batch, std::move(announce)) {}

result<void> supervised_run::start(shim_record& shim) {
  if (auto opened = journal_.open(directory_.get()); !opened)
    return opened;
  // Also for reading, which is the shim's own use of it.
  output_.reset(::openat(directory_.get(), run_file::output, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!output_) {
    record_launch_failure(launch_failure(system_error("cannot create output.log", errno)));
    return {};
  }
  // Before the process: without a whole shim.json no process was ever made. It appears whole enough that way, for it is read only
  // once this shim is dead.
  if (auto written = shim.put_into(directory_.get()); !written) {
    record_launch_failure(launch_failure(written.error()));
    return {};
  }
  const std::uint64_t before = ticks_since_boot();
  auto made = waiting_process::make(spec_, {.output = output_.get(), .errors = output_.get()});
  if (!made) {
    record_launch_failure(launch_failure(made.error()));
    return {};
  }
  process_ = process_tree(made->pid());
  json started = to_json(run_event(run_started{process_.pid(), wall_clock_now()}));
  // The process's start time lies between these: it tells the process from another with its pid, should the shim be killed.
  started["start_ticks"] = {before, ticks_since_boot()};
  journal_.add_line(started);
  journal_.flush(); // on a full disk it waits: then FERRY_RUN_DIR in its environment is what the process is known by
  if (auto gone = made->let_go(); !gone) {
    process_ = {};
    record_launch_failure(launch_failure(gone.error()));
    return {};
  }
  watch_.emplace(spec_, directory_.get(), output_.get());
  look_due_ = clock::now() + watch_->pause();
  return {};
}

void supervised_run::refuse(failure why, std::string stopped_by) {
  stopped_by_ = std::move(stopped_by);
  if (journal_.open(directory_.get()))
    record_launch_failure(std::move(why));
  else
    stage_ = stage::over;
}

supervised_run::clock::time_point supervised_run::next_due() const {
  switch (stage_) {
  case stage::running: return std::min(look_due_, lease_.next_due());
  case stage::asked_to_end: return std::min({look_due_, kill_due_, lease_.next_due()});
  case stage::killing: return kill_due_;
  case stage::recording: return record_due_;
  case stage::over: break;
  }
  return clock::time_point::max();
}

void supervised_run::stop(const stop_request& request) {
  if (stage_ == stage::recording || stage_ == stage::over)
    return;
  if (stopped_by_.empty() && !process_.status()) {
    stopped_by_ = request.reason.empty() ? "stopped" : request.reason;
    stopped_jobs_ = request.jobs;
  }
  const auto grace = std::clamp(request.grace, 0ms, std::chrono::milliseconds(24h));
  if (stage_ == stage::running)
    begin_ending(grace);
  else if (stage_ == stage::asked_to_end)
    kill_due_ = std::min(kill_due_, clock::now() + grace);
  proceed();
}

void supervised_run::proceed() {
  if (stage_ == stage::running || stage_ == stage::asked_to_end || stage_ == stage::killing) {
    process_.reap();
    const auto now = clock::now();
    if (process_.is_gone()) {
      record_end();
      return;
    }
    if (process_.status() && stage_ == stage::running)
      begin_ending(leftovers_grace);
    heed_lease();
    if ((stage_ == stage::running || stage_ == stage::asked_to_end) && now >= look_due_)
      look();
    if (stage_ == stage::asked_to_end && now >= kill_due_)
      stage_ = stage::killing;
    if (stage_ == stage::killing && now >= kill_due_)
      kill_due_ = process_.kill();
    return;
  }
  if (stage_ == stage::recording && clock::now() >= record_due_) {
    record_due_ = clock::now() + record_pause;
    if (journal_.flush())
      stage_ = stage::over;
  }
}

// It is asked to end while it still may run, and killed once it may not, whoever else has asked it to end meanwhile. A lease that
// is extended in between changes nothing: it has been asked.
void supervised_run::heed_lease() {
  if (stage_ == stage::running && lease_.is_near()) {
    stopped_by_ = scheduling::lease_ended_text;
    begin_ending(std::max(lease_.left(), 0ms));
  }
  if (stage_ == stage::asked_to_end && lease_.is_over())
    kill_due_ = std::min(kill_due_, clock::now());
}

void supervised_run::look() {
  report(watch_->look(wall_clock_now()));
  journal_.flush();
  look_due_ = clock::now() + watch_->pause();
}

void supervised_run::report(const progress_watch::findings& found) {
  for (const run_progressed& event : found.progress)
    journal_.add(event);
  for (const run_event& event : found.events)
    journal_.add(event);
}

void supervised_run::begin_ending(std::chrono::milliseconds grace) {
  stage_ = stage::asked_to_end;
  kill_due_ = clock::now() + grace;
  process_.ask_to_end();
}

void supervised_run::record_end() {
  report(watch_->last_look(wall_clock_now()));
  if (watch_->ignored() > 0) // for people who wonder; no event that the daemon knows
    journal_.add_line({{"type", "reported_lines_ignored"}, {"at", to_unix_ms(wall_clock_now())}, {"count", watch_->ignored()}});
  run_exited end;
  if (const int status = *process_.status(); WIFEXITED(status))
    end.exit_status = WEXITSTATUS(status);
  else
    end.signal = WTERMSIG(status);
  end.stopped_by = stopped_by_;
  end.stopped_jobs = stopped_jobs_;
  for (std::size_t i = 0; i < spec_.jobs.size(); ++i)
    end.artifacts.push_back(list_artifacts(spec_.jobs[i].dir, watch_->artifacts()[i]));
  end.at = wall_clock_now();
  journal_.add(run_event(end));
  stage_ = stage::recording;
  record_due_ = clock::now();
  proceed();
}

void supervised_run::record_launch_failure(failure why) {
  run_exited end;
  end.why = std::move(why);
  end.stopped_by = stopped_by_;
  end.artifacts.resize(spec_.jobs.size());
  end.at = wall_clock_now();
  journal_.add(run_event(end));
  stage_ = stage::recording;
  record_due_ = clock::now();
  proceed();
}

} // namespace ferry::runners
