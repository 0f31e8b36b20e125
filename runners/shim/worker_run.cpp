#include "runners/shim/worker_run.hpp"

#include "config/limits.hpp"
#include "runners/run_directory.hpp"
#include "runners/shim/artifact_list.hpp"
#include "scheduling/outcome.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ferry::runners {
namespace {

using namespace std::chrono_literals;

constexpr auto record_pause = 500ms; // between tries to write the end on a full disk
constexpr auto deaf_max = 60s;       // for a worker to read what it is told
constexpr auto grace_of_the_broken = 2s;
constexpr std::size_t text_bytes_max = 200;

std::string excerpt(std::string_view text) {
  return text.size() <= text_bytes_max ? std::string(text) : std::string(text.substr(0, text_bytes_max)) + "…";
}

failure gone_in_the_middle(int status) {
  failure why{.kind = WIFSIGNALED(status) ? failure_kind::signal : failure_kind::exit_status,
              .message = "its worker ended with " + describe_end(status) + " in the middle of the batch"};
  if (WIFSIGNALED(status))
    why.signal = WTERMSIG(status);
  else
    why.exit_status = WEXITSTATUS(status);
  return why;
}

} // namespace

worker_run::worker_run(run_spec spec, lease_watch lease, descriptor lock, descriptor directory, event_log::announcer announce,
                       worker_process& worker, bool worker_is_ready)
    : spec_(std::move(spec)),
      lease_(std::move(lease)),
      lock_(std::move(lock)),
      directory_(std::move(directory)),
      journal_(spec_.batch, std::move(announce)),
      reported_(spec_.jobs),
      worker_(worker),
      warm_(worker_is_ready),
      ready_due_(clock::now() + spec_.worker->ready_timeout) {}

result<void> worker_run::start(shim_record& shim) {
  if (auto opened = journal_.open(directory_.get()); !opened)
    return opened;
  log_.reset(::openat(directory_.get(), run_file::output, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  // Before the jobs are handed over: without a whole shim.json none ever was.
  auto written = log_ ? shim.put_into(directory_.get()) : fail(system_error("cannot create output.log", errno));
  if (!written) {
    shim_run::refuse(written.error().what);
    return {};
  }
  json started = to_json(run_event(run_started{worker_.pid(), wall_clock_now(), warm_}));
  started["start_ticks"] = {worker_.start_ticks().first, worker_.start_ticks().second};
  journal_.add_line(started);
  flush();
  if (warm_)
    hand_over();
  return {};
}

void worker_run::refuse(failure why, std::string stopped_by) {
  (void)journal_.open(directory_.get()); // where that fails too, the end is written once there is room
  run_exited end;
  end.why = std::move(why);
  end.stopped_by = std::move(stopped_by);
  end.artifacts.resize(spec_.jobs.size());
  end.at = wall_clock_now();
  journal_.add(run_event(end));
  stage_ = stage::recording;
  record_due_ = clock::now();
  proceed();
}

void worker_run::worker_ready() {
  if (stage_ != stage::loading)
    return;
  journal_.add(run_event(run_loaded{{}, wall_clock_now()}));
  hand_over();
  flush();
}

void worker_run::hand_over() {
  stage_ = stage::running;
  std::vector<run_job> jobs;
  for (const run_job& job : spec_.jobs)
    if (!reported_.has_ended(job.id)) // one may have been cancelled meanwhile
      jobs.push_back(job);
  worker_.tell({{"type", "run"}, {"batch", spec_.batch.value}, {"jobs", to_json(jobs)}});
}

void worker_run::printed(std::string_view bytes) {
  while (log_ && !bytes.empty()) {
    const ssize_t size = ::write(log_.get(), bytes.data(), bytes.size());
    if (size < 0 && errno == EINTR)
      continue;
    if (size <= 0) // a full disk costs the log, not the job
      return;
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
}

// ---- what the worker says ---------------------------------------------------------------------------------------------------

void worker_run::said(const json& line, std::string_view text) {
  if (stage_ == stage::loading && line.is_object() && line.contains("type") && line.at("type") == "failed") {
    break_worker(failure_from_report(line)); // it could not load, and says why
    return;
  }
  if ((stage_ != stage::running && stage_ != stage::ending) || text.find_first_not_of(" \t\r") == std::string_view::npos)
    return;
  const auto type = line.is_object() ? line.find("type") : line.end();
  if (!line.is_object() || type == line.end() || !type->is_string()) {
    printed(std::string(text) + "\n"); // a stray print
    return;
  }
  try {
    const job_id named{line.value("job", std::int64_t{0})};
    if (*type == "log")
      printed((named.is_none() ? "" : "[job " + to_string(named) + "] ") + line.value("text", std::string()) + "\n");
    else if (*type == "memory")
      memory_mib_ = std::max(memory_mib_.value_or(0), line.at("mib").get<std::int64_t>());
    else if (*type == "done" || *type == "failed")
      take_end(line, named);
    else if (*type != "ready" && !reported_.take(line, wall_clock_now()))
      printed("ferry does not understand: " + excerpt(text) + "\n");
  } catch (const json::exception&) { // a member of the wrong type
    break_worker({failure_kind::reported, "its worker broke the protocol, it said: " + excerpt(text)});
  }
  for (const run_event& event : reported_.take_events())
    journal_.add(event);
  for (const run_progressed& event : reported_.take_progress())
    journal_.add(event);
  if (stage_ == stage::running && reported_.unended().empty())
    record_end();
  flush();
}

void worker_run::take_end(const json& line, job_id named) {
  const auto left = reported_.unended();
  if (named.is_none() && left.size() == 1)
    end_job(left.front(), line);
  else if (named.is_none() && line.at("type") == "failed")
    fail_batch(failure_from_report(line));
  else if (reported_.is_here(named) && !reported_.has_ended(named))
    end_job(named, line);
  else if (named.is_none())
    break_worker({failure_kind::reported, "its worker broke the protocol: it said \"done\" without naming one of the " +
                                              std::to_string(left.size()) + " jobs"});
  else
    break_worker({failure_kind::reported, "its worker broke the protocol: it answered for job " + to_string(named) +
                                              (reported_.is_here(named) ? ", which had ended" : ", which is not in its batch")});
}

void worker_run::end_job(job_id job, const json& line) {
  reported_.mark_ended(job);
  const auto now = wall_clock_now();
  if (line.at("type") == "done") {
    json result = line.value("result", json());
    const auto bytes = result.dump(-1, ' ', false, json::error_handler_t::replace).size();
    if (bytes > limits::result_bytes_max)
      journal_.add(run_event(run_job_failed{
          job,
          {failure_kind::reported, "its result takes " + std::to_string(bytes) + " bytes; at most " +
                                       std::to_string(limits::result_bytes_max) + " are allowed: put what is large into a file"},
          now,
          files_of(job)}));
    else
      journal_.add(run_event(run_job_done{job, std::move(result), now, files_of(job)}));
  } else if (line.value("kind", std::string()) == "cancelled")
    journal_.add(run_event(run_job_cancelled{job, now, files_of(job)}));
  else
    journal_.add(run_event(run_job_failed{job, failure_from_report(line), now, files_of(job)}));
}

void worker_run::fail_batch(failure why) {
  broken_ = std::move(why);
  if (stage_ == stage::running)
    record_end();
}

void worker_run::break_worker(failure why) {
  if (stage_ == stage::recording || stage_ == stage::over)
    return;
  if (!broken_ && stopped_by_.empty())
    broken_ = std::move(why);
  stage_ = stage::ending;
  worker_.end(grace_of_the_broken);
}

std::vector<artifact> worker_run::files_of(job_id job) const {
  for (std::size_t i = 0; i < spec_.jobs.size(); ++i)
    if (spec_.jobs[i].id == job)
      return list_artifacts(spec_.jobs[i].dir, reported_.artifacts()[i]);
  return {};
}

// ---- its end ----------------------------------------------------------------------------------------------------------------

void worker_run::stop(const stop_request& request) {
  if (stage_ == stage::recording || stage_ == stage::over)
    return;
  const bool gently = !request.jobs.empty() && stage_ == stage::running && stop_due_ == clock::time_point::max();
  if (!broken_ && (stopped_by_.empty() || (request.jobs.empty() && !stopped_jobs_.empty()))) { // all outweighs some
    stopped_by_ = request.reason.empty() ? "stopped" : request.reason;
    stopped_jobs_ = request.jobs;
  } else {
    for (const job_id job : request.jobs) // another of them is cancelled too
      if (!stopped_jobs_.empty() && std::find(stopped_jobs_.begin(), stopped_jobs_.end(), job) == stopped_jobs_.end())
        stopped_jobs_.push_back(job);
  }
  if (stage_ == stage::loading && !request.jobs.empty()) { // the worker does not know of them yet
    const auto now = wall_clock_now();
    for (const job_id job : request.jobs)
      if (reported_.is_here(job) && !reported_.has_ended(job)) {
        reported_.mark_ended(job);
        journal_.add(run_event(run_job_cancelled{job, now, {}}));
      }
    flush();
    if (!reported_.unended().empty())
      return;
  }
  if (request.jobs.empty() || stage_ == stage::loading) { // nobody needs what it loads
    stage_ = stage::ending;
    worker_.end(request.grace);
    return;
  }
  for (const job_id job : request.jobs)
    if (!reported_.has_ended(job))
      worker_.tell({{"type", "cancel"}, {"job", job.value}});
  if (gently || stage_ == stage::running)
    stop_due_ = std::min(stop_due_, clock::now() + request.grace);
}

// As supervised_run's; the worker ends with its batch, for nobody could tell whether it heeds a cancel in time.
void worker_run::heed_lease() {
  if (stage_ != stage::ending && lease_.is_near())
    stop({spec_.batch, std::string(scheduling::lease_ended_text), std::max(lease_.left(), 0ms)});
  else if (stage_ == stage::ending && lease_.is_over())
    worker_.end(0ms);
}

void worker_run::proceed() {
  const auto now = clock::now();
  if (stage_ == stage::recording) {
    if (now >= record_due_) {
      record_due_ = now + record_pause;
      if (journal_.flush())
        stage_ = stage::over;
    }
    return;
  }
  if (stage_ == stage::over)
    return;
  if (worker_.is_gone()) {
    if (!broken_ && stopped_by_.empty())
      broken_ = gone_in_the_middle(worker_.status().value_or(0));
    record_end();
    return;
  }
  heed_lease();
  if (stage_ == stage::loading && now >= ready_due_)
    break_worker({failure_kind::timeout,
                  "its worker did not say that it is ready within ready_timeout " + to_words(spec_.worker->ready_timeout)});
  if (stage_ == stage::running && worker_.deaf_since() && now >= *worker_.deaf_since() + deaf_max)
    break_worker({failure_kind::timeout, "its worker did not read what it was told for " + to_words(deaf_max)});
  if (stage_ == stage::running && now >= stop_due_) {
    const auto left = reported_.unended();
    const bool heeded = std::none_of(stopped_jobs_.begin(), stopped_jobs_.end(),
                                     [&](job_id job) { return std::find(left.begin(), left.end(), job) != left.end(); });
    stop_due_ = clock::time_point::max();
    if (!heeded) {
      stage_ = stage::ending;
      worker_.end(grace_of_the_broken);
    }
  }
}

worker_run::clock::time_point worker_run::next_due() const {
  const auto due = std::min(stop_due_, lease_.next_due());
  switch (stage_) {
  case stage::loading: return std::min(ready_due_, lease_.next_due());
  case stage::running: return worker_.deaf_since() ? std::min(due, *worker_.deaf_since() + deaf_max) : due;
  case stage::ending: return lease_.next_due();
  case stage::recording: return record_due_;
  case stage::over: break;
  }
  return clock::time_point::max();
}

void worker_run::record_end() {
  const auto left = reported_.unended();
  run_exited end;
  // The worker's own end, where it ended before its jobs did; else the batch has ended well.
  end.exit_status = 0;
  if (!left.empty() && worker_.is_gone()) {
    const int status = worker_.status().value_or(0);
    end.exit_status = WIFEXITED(status) ? std::optional(WEXITSTATUS(status)) : std::nullopt;
    if (WIFSIGNALED(status))
      end.signal = WTERMSIG(status);
  }
  end.stopped_by = stopped_by_;
  end.stopped_jobs = stopped_jobs_;
  if (!left.empty())
    end.broken = broken_;
  end.worker_ended = worker_.is_ending();
  end.memory_mib = memory_mib_;
  for (std::size_t i = 0; i < spec_.jobs.size(); ++i)
    end.artifacts.push_back(reported_.has_ended(spec_.jobs[i].id) ? std::vector<artifact>{}
                                                                  : list_artifacts(spec_.jobs[i].dir, reported_.artifacts()[i]));
  end.at = wall_clock_now();
  journal_.add(run_event(end));
  stage_ = stage::recording;
  record_due_ = clock::now();
  proceed();
}

void worker_run::flush() {
  if (stage_ != stage::over)
    journal_.flush();
}

} // namespace ferry::runners
