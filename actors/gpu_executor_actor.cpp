#include "actors/gpu_executor_actor.hpp"

#include <algorithm>
#include <spdlog/spdlog.h>
#include <unordered_map>

namespace ferry::actors {

template <class Change>
void run_tally::for_job(job_id id, Change change) {
  for (std::size_t i = 0; i < jobs_.size(); ++i)
    if (id.is_none() || jobs_[i] == id)
      change(reports_[i]);
}

void run_tally::add(const runners::run_event& event) {
  if (const auto* finished = std::get_if<runners::run_job_done>(&event)) {
    for_job(finished->job, [&](auto& report) { report.result = finished->result; });
  } else if (const auto* failed = std::get_if<runners::run_job_failed>(&event)) {
    for_job(failed->job, [&](auto& report) { report.why_failed = failed->why; });
  } else if (const auto* exited = std::get_if<runners::run_exited>(&event)) {
    ending_ = {.exit_status = exited->exit_status,
               .signal = exited->signal,
               .launch_failure = exited->why,
               .stopped_by = exited->stopped_by,
               .lost = false};
    for (std::size_t i = 0; i < std::min(reports_.size(), exited->artifacts.size()); ++i)
      for (const auto& file : exited->artifacts[i])
        reports_[i].artifacts.push_back({{"path", file.path}, {"bytes", file.bytes}});
  }
}

std::vector<scheduling::job_outcome> run_tally::outcomes() const {
  std::vector<scheduling::job_outcome> all;
  for (const auto& report : reports_)
    all.push_back(scheduling::judge(ending_, report));
  return all;
}

namespace {

constexpr std::chrono::milliseconds grace_of_unknown_type{10'000};
constexpr std::chrono::seconds adoption_retry{2};

struct gpu_executor_state {
  using handle = gpu_executor_actor;

  gpu_executor_state(handle::pointer self, executor_parts parts) : self_(self), parts_(std::move(parts)) {}

  handle::behavior_type make_behavior() {
    return {
        [this](run_batch& what) { launch(what); },
        [this](const adopt_batch& what) { adopt(what); },
        [this](const stop_batch& what) { stop(what); },
        [this](run_reported& what) { follow(what.what); },
    };
  }

private:
  struct run {
    run_tally tally;
    const config::job_type* type = nullptr;
  };

  void launch(run_batch& what) {
    const auto directory = parts_.control->directory_of(what.batch);
    std::vector<runners::run_job> jobs;
    for (std::size_t i = 0; i < what.jobs.size(); ++i)
      jobs.push_back({what.jobs[i], json::parse(what.params.at(i)), directory / "jobs" / to_string(what.jobs[i])});
    const int share = std::max(1, parts_.on.threads * what.place.slots / std::max(1, parts_.on.slots));
    const runners::placement where{parts_.on, what.type->threads > 0 ? what.type->threads : share, what.place.memory_mib};
    auto spec = runners::make_run_spec(*what.type, what.batch, where, std::move(jobs), directory);
    if (!spec) {
      fail_all(what, failure{.kind = failure_kind::input, .message = to_string(spec.error())});
      return;
    }
    runs_.insert_or_assign(what.batch, run{run_tally(what.jobs), what.type});
    parts_.router->route(what.batch, self_);
    if (auto launched = parts_.control->launch(*spec); !launched) {
      spdlog::error("batch {} could not be launched: {}", what.batch.value, to_string(launched.error()));
      drop(what.batch);
      send(self_, parts_.queue, batch_not_started{what.batch, std::move(launched.error())});
      send(self_, parts_.optimizer, slot_freed{what.batch});
    }
  }

  void adopt(const adopt_batch& what) {
    runs_.insert_or_assign(what.batch, run{run_tally(what.jobs), what.type});
    parts_.router->route(what.batch, self_);
    const auto condition = parts_.control->inspect(what.batch);
    const auto* damaged = std::get_if<runners::run_damaged>(&condition);
    if (!damaged && !std::holds_alternative<runners::run_lost>(condition)) {
      if (auto adopted = parts_.control->adopt(what.batch); !adopted)
        try_again(what, adopted.error());
      return;
    }
    // What cannot be proven dead is not given up (P4): its jobs stay "running" until it is.
    if (auto ended = parts_.control->end_survivors(what.batch); !ended) {
      try_again(what, ended.error());
      return;
    }
    if (damaged)
      runs_.at(what.batch).tally.give_up({.kind = failure_kind::lost, .message = "its run directory is damaged: " + damaged->why});
    finish(what.batch);
  }

  void try_again(const adopt_batch& what, const error& why) {
    spdlog::error("batch {} could not be taken up, trying again: {}", what.batch.value, to_string(why));
    send_later(self_, adoption_retry, what);
  }

  void stop(const stop_batch& what) {
    const auto found = runs_.find(what.batch);
    if (found != runs_.end())
      parts_.control->stop(what.batch, what.reason, found->second.type ? found->second.type->grace : grace_of_unknown_type);
  }

  void follow(const runners::run_control::report& report) {
    const auto found = runs_.find(report.batch);
    if (found == runs_.end())
      return;
    std::optional<runners::run_progressed> latest;
    for (const auto& event : report.events) {
      found->second.tally.add(event);
      if (std::holds_alternative<runners::run_started>(event))
        send(self_, parts_.queue, batch_began{report.batch});
      else if (const auto* progressed = std::get_if<runners::run_progressed>(&event))
        latest = *progressed;
    }
    if (report.over)
      finish(report.batch);
    else if (latest)
      send(self_, parts_.queue,
           batch_progressed{report.batch, latest->job.is_none() ? std::nullopt : std::optional{latest->job}, latest->value});
  }

  void finish(batch_id batch) {
    auto outcomes = runs_.at(batch).tally.outcomes();
    drop(batch);
    send(self_, parts_.queue, batch_over{batch, std::move(outcomes)});
    send(self_, parts_.optimizer, slot_freed{batch});
  }

  void fail_all(const run_batch& what, const failure& why) {
    send(self_, parts_.queue,
         batch_over{what.batch, std::vector(what.jobs.size(), scheduling::job_outcome{job_state::failed, why, nullptr})});
    send(self_, parts_.optimizer, slot_freed{what.batch});
  }

  void drop(batch_id batch) {
    runs_.erase(batch);
    parts_.router->forget(batch);
  }

  handle::pointer self_;
  executor_parts parts_;
  std::unordered_map<batch_id, run> runs_;
};

} // namespace

gpu_executor_actor spawn_gpu_executor(caf::actor_system& system, executor_parts parts) {
  return spawn<gpu_executor_state, caf::detached>(system, std::move(parts));
}

} // namespace ferry::actors
