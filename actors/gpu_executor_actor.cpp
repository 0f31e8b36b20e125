#include "actors/gpu_executor_actor.hpp"

#include "actors/run_tally.hpp"
#include "runners/checkpoint_files.hpp"
#include "scheduling/batch_traits.hpp"
#include "scheduling/run_watch.hpp"

#include <algorithm>
#include <map>
#include <spdlog/spdlog.h>
#include <unordered_map>

namespace ferry::actors {

namespace {

constexpr std::chrono::milliseconds grace_of_unknown_type{10'000};
constexpr std::chrono::seconds adoption_retry{2};
constexpr std::chrono::seconds worker_grace{10}; // for an idle one to end
// What was committed ahead for a tenth of a second is given back when it has waited for so long.
constexpr std::chrono::milliseconds follow_up_patience{250};

struct gpu_executor_state {
  using handle = local_executor_actor;

  gpu_executor_state(handle::pointer self, executor_parts parts) : self_(self), parts_(std::move(parts)) {}

  handle::behavior_type make_behavior() {
    return {
        [this](run_batch& what) { prepare(std::move(what)); },
        [this](const adopt_batch& what) { adopt(what); },
        [this](const stop_batch& what) { stop(what); },
        [this](const end_workers& what) { end_all(what.workers); },
        [this](const adopt_worker& what) {
          parts_.router->route(what.worker, self_);
          parts_.control->adopt_worker(what.worker);
        },
        [this](run_reported& what) { follow(what.what); },
        [this](follow_up_due) { give_back_overdue(); },
    };
  }

private:
  struct run {
    run_tally tally;
    const config::job_type* type = nullptr;
    std::optional<std::chrono::steady_clock::time_point> waits_since = {}; // for its worker to be done with another batch
  };

  // ---- workers ----

  void end_all(const std::vector<worker_id>& workers) const {
    for (const worker_id worker : workers)
      parts_.control->end_worker(worker, worker_grace);
  }

  void worker_is_gone(worker_id worker) {
    parts_.router->forget(worker);
    send(self_, parts_.optimizer, worker_gone{worker});
    auto waiting = std::exchange(waiting_, {});
    for (run_batch& one : waiting) {
      std::erase(one.ends_workers, worker);
      prepare(std::move(one));
    }
  }

  // The worker that a batch goes to; none: its type has no workers.
  [[nodiscard]] static worker_id worker_of(const run_batch& what) {
    if (what.type->runner != config::runner_kind::worker)
      return {};
    return what.starts_worker ? worker_id{what.batch.value} : what.place.worker;
  }

  [[nodiscard]] std::optional<runners::worker_choice> choose_worker(const run_batch& what) const {
    const worker_id id = worker_of(what);
    if (id.is_none())
      return std::nullopt;
    const auto traits = scheduling::traits_of(*what.type, json::parse(what.starts.front().params));
    return runners::worker_choice{id, what.warm, traits.warm, parts_.control->worker_directory_of(id)};
  }

  // ---- starting ----

  // A batch waits until the workers whose memory it needs are gone.
  void prepare(run_batch what) {
    std::erase_if(what.ends_workers, [this](worker_id worker) { return !parts_.control->is_known(worker); });
    if (!what.ends_workers.empty()) {
      end_all(what.ends_workers);
      waiting_.push_back(std::move(what));
      return;
    }
    auto spec = spec_of(what);
    if (!spec) {
      fail_all(what, failure{.kind = failure_kind::input, .message = to_string(spec.error())});
      return;
    }
    launch(what, *spec);
  }

  [[nodiscard]] result<runners::run_spec> spec_of(const run_batch& what) const {
    const auto directory = parts_.control->directory_of(what.batch);
    std::vector<runners::run_job> jobs;
    for (std::size_t i = 0; i < what.jobs.size(); ++i)
      jobs.push_back({what.jobs[i], json::parse(what.starts.at(i).params), directory / "jobs" / to_string(what.jobs[i]),
                      resume_from(what.batch, what.jobs[i], what.starts[i].checkpoints), what.starts[i].part});
    const int share = std::max(1, parts_.on.threads * what.place.slots / std::max(1, parts_.on.slots));
    const runners::placement where{parts_.on, what.type->threads > 0 ? what.type->threads : share, what.place.memory_mib};
    auto spec = runners::make_run_spec(*what.type, what.batch, where, std::move(jobs), directory, choose_worker(what));
    if (spec && !what.type->survive_partition)
      spec->lease_file = parts_.lease_file;
    return spec;
  }

  void launch(const run_batch& what, const runners::run_spec& spec) {
    const worker_id worker = worker_of(what);
    run made{.tally = run_tally(what.jobs, !worker.is_none()), .type = what.type};
    if (what.place.follows)
      made.waits_since = std::chrono::steady_clock::now();
    runs_.insert_or_assign(what.batch, std::move(made));
    parts_.router->route(what.batch, self_);
    if (!worker.is_none())
      parts_.router->route(worker, self_);
    if (what.place.follows && !std::exchange(follow_up_armed_, true))
      send_later(self_, follow_up_patience, follow_up_due{});
    auto launched = what.place.follows ? parts_.control->launch_next(spec) : parts_.control->launch(spec);
    if (!launched) {
      drop(what.batch);
      could_not_launch(what, std::move(launched.error()));
    }
  }

  void could_not_launch(const run_batch& what, error why) {
    const worker_id worker = worker_of(what);
    const bool worker_went = !worker.is_none() && !parts_.control->is_known(worker);
    const bool is_trouble = what.starts_worker || !worker_went; // one that went is no trouble for others
    spdlog::log(is_trouble ? spdlog::level::err : spdlog::level::info, "batch {} could not be launched: {}", what.batch.value,
                to_string(why));
    send(self_, parts_.queue, batch_not_started{what.batch, std::move(why), false, is_trouble});
    send(self_, parts_.optimizer, slot_freed{what.batch, worker_went});
    if (what.starts_worker)
      send(self_, parts_.optimizer, worker_gone{worker});
  }

  // ---- committed ahead: scheduling/follow_up.hpp ----

  // The batch before them takes longer than anybody expected: others may have them.
  void give_back_overdue() {
    const auto too_old = std::chrono::steady_clock::now() - follow_up_patience;
    std::vector<batch_id> overdue;
    follow_up_armed_ = false;
    for (const auto& [batch, of] : runs_) {
      if (of.waits_since && *of.waits_since <= too_old)
        overdue.push_back(batch);
      follow_up_armed_ = follow_up_armed_ || of.waits_since;
    }
    for (const batch_id batch : overdue)
      if (parts_.control->withdraw(batch)) {
        drop(batch);
        send(self_, parts_.queue, not_reached(batch));
        send(self_, parts_.optimizer, slot_freed{batch});
      }
    if (follow_up_armed_)
      send_later(self_, follow_up_patience, follow_up_due{});
  }

  static batch_not_started not_reached(batch_id batch) {
    return {batch, {error_code::unavailable, "the worker that was to run it next did not get to it", {}, {}}, false, false};
  }

  // The newest checkpoint whose file is still there, and a line in the job's timeline about it; empty: from the beginning.
  [[nodiscard]] std::filesystem::path resume_from(batch_id batch, job_id job, const std::vector<checkpoint>& newest_first) const {
    const auto note = [&](note_kind kind, json detail) {
      send(self_, parts_.queue, batch_noted{batch, job, {kind, wall_clock_now(), std::move(detail)}});
    };
    for (const checkpoint& one : newest_first) {
      const auto path = (parts_.control->directory_of(one.batch) / "jobs" / to_string(one.job) / one.path).lexically_normal();
      std::error_code unreadable;
      if (!std::filesystem::exists(path, unreadable))
        continue;
      json detail{{"path", path.string()}};
      if (one.step)
        detail["step"] = *one.step;
      note(note_kind::resumed, std::move(detail));
      return path;
    }
    if (!newest_first.empty())
      note(note_kind::warned, {{"rule", "checkpoints"},
                               {"why", "none of its last " + std::to_string(newest_first.size()) +
                                           " checkpoints is there any more, so it begins at the beginning"},
                               {"action", "warn"}});
    return {};
  }

  void adopt(const adopt_batch& what) {
    runs_.insert_or_assign(what.batch, run{run_tally(what.jobs, !parts_.control->worker_of(what.batch).is_none()), what.type});
    parts_.router->route(what.batch, self_);
    const auto condition = parts_.control->inspect(what.batch);
    const auto* damaged = std::get_if<runners::run_damaged>(&condition);
    const auto* lost = std::get_if<runners::run_lost>(&condition);
    if (!damaged && !lost) {
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
    else
      for (const auto& event : lost->events)
        runs_.at(what.batch).tally.add(event);
    finish(what.batch);
  }

  void try_again(const adopt_batch& what, const error& why) {
    spdlog::error("batch {} could not be taken up, trying again: {}", what.batch.value, to_string(why));
    send_later(self_, adoption_retry, what);
  }

  void stop(const stop_batch& what) {
    if (const auto waiting =
            std::find_if(waiting_.begin(), waiting_.end(), [&](const run_batch& one) { return one.batch == what.batch; });
        waiting != waiting_.end()) {
      const run_batch unlaunched = std::move(*waiting);
      waiting_.erase(waiting);
      end_unlaunched(what, unlaunched.jobs, unlaunched.starts_worker);
      return;
    }
    const auto found = runs_.find(what.batch);
    if (found == runs_.end())
      return;
    const auto& of = found->second;
    if (of.waits_since && parts_.control->withdraw(what.batch)) {
      drop(what.batch);
      send(self_, parts_.queue, not_reached(what.batch)); // which knows what its users wish
      send(self_, parts_.optimizer, slot_freed{what.batch});
      return;
    }
    parts_.control->stop(what.batch, to_text(what.reason), of.type ? of.type->grace : grace_of_unknown_type, what.jobs);
  }

  void end_unlaunched(const stop_batch& what, const std::vector<job_id>& jobs, bool starts_worker) const {
    std::vector<scheduling::job_outcome> outcomes;
    for (const job_id job : jobs) {
      const bool meant = what.jobs.empty() || std::find(what.jobs.begin(), what.jobs.end(), job) != what.jobs.end();
      outcomes.push_back(scheduling::judge_unlaunched(what.reason, meant));
    }
    send(self_, parts_.queue, batch_over{what.batch, std::move(outcomes)});
    send(self_, parts_.optimizer, slot_freed{what.batch, starts_worker});
    if (starts_worker)
      send(self_, parts_.optimizer, worker_gone{worker_id{what.batch.value}});
  }

  void follow(const runners::run_control::report& report) {
    if (!report.worker.is_none()) {
      worker_is_gone(report.worker);
      return;
    }
    const auto found = runs_.find(report.batch);
    if (found == runs_.end())
      return;
    std::map<job_id, progress> latest; // none: of each job
    for (const auto& event : report.events) {
      found->second.tally.add(event);
      found->second.waits_since.reset();
      if (std::holds_alternative<runners::run_started>(event))
        send(self_, parts_.queue, batch_began{report.batch});
      if (auto noted = note_of(event))
        send(self_, parts_.queue,
             batch_noted{report.batch, noted->job.is_none() ? std::nullopt : std::optional{noted->job}, std::move(noted->note)});
      if (const auto* progressed = std::get_if<runners::run_progressed>(&event))
        latest.insert_or_assign(progressed->job, progressed->value);
      tell_early_end(report, found->second, event);
      give_sign(report.batch, found->second, event);
    }
    if (report.never_handed)
      take_back(report.batch);
    else if (report.over)
      finish(report.batch);
    else
      for (auto& [job, value] : latest)
        send(self_, parts_.queue,
             batch_progressed{report.batch, job.is_none() ? std::nullopt : std::optional{job}, std::move(value)});
  }

  // The others go on; the last end comes with that of the batch.
  void tell_early_end(const runners::run_control::report& report, const run& of, const runners::run_event& event) const {
    job_id job;
    if (const auto* finished = std::get_if<runners::run_job_done>(&event))
      job = finished->job;
    else if (const auto* failed = std::get_if<runners::run_job_failed>(&event))
      job = failed->job;
    else if (const auto* cancelled = std::get_if<runners::run_job_cancelled>(&event))
      job = cancelled->job;
    if (job.is_none() || report.over || of.tally.jobs().size() < 2)
      return;
    if (auto outcome = of.tally.early_outcome(job))
      send(self_, parts_.queue, job_over{report.batch, job, std::move(*outcome)});
  }

  // That the process exists is no sign of its own.
  void give_sign(batch_id batch, const run& of, const runners::run_event& event) const {
    if (!of.type || !scheduling::run_watch::is_needed(of.type->watch, of.type->metric_rules) ||
        std::holds_alternative<runners::run_started>(event))
      return;
    const auto* progressed = std::get_if<runners::run_progressed>(&event);
    const auto at = std::visit([](const auto& e) { return e.at; }, event);
    send(self_, parts_.watchdog, batch_sign{batch, at, progressed ? std::optional{progressed->value} : std::nullopt});
  }

  void finish(batch_id batch) {
    auto& ended = runs_.at(batch);
    if (!ended.tally.has_ended() && never_started(batch))
      return;
    if (ended.type && !ended.type->checkpoint_files.empty())
      for (std::size_t i = 0; i < ended.tally.jobs().size(); ++i) {
        const auto directory = parts_.control->directory_of(batch) / "jobs" / to_string(ended.tally.jobs()[i]);
        if (const auto newest = runners::newest_file(directory, ended.type->checkpoint_files))
          ended.tally.add_checkpoint(i, newest->path, newest->written);
      }
    auto outcomes = ended.tally.outcomes();
    const bool worker_ended = ended.tally.worker_has_ended() || !ended.tally.has_ended();
    drop(batch);
    send(self_, parts_.queue, batch_over{batch, std::move(outcomes)});
    send(self_, parts_.optimizer, slot_freed{batch, worker_ended});
  }

  // Its shim died before it had made a process: the jobs did not run.
  bool never_started(batch_id batch) {
    if (!std::holds_alternative<runners::run_never_started>(parts_.control->inspect(batch)))
      return false;
    take_back(batch);
    return true;
  }

  // Its jobs are queued again, and pay nothing.
  void take_back(batch_id batch) {
    const bool waited = runs_.at(batch).waits_since.has_value();
    drop(batch);
    // A worker may be gone by itself just when it is given a batch: that is no crash.
    const bool crashed = parts_.control->worker_of(batch).is_none();
    send(self_, parts_.queue,
         waited ? not_reached(batch)
                : batch_not_started{batch,
                                    {error_code::unavailable, "its supervisor died before it had started the job", {}, {}},
                                    crashed,
                                    crashed});
    send(self_, parts_.optimizer, slot_freed{batch, true});
  }

  void fail_all(const run_batch& what, const failure& why) {
    send(self_, parts_.queue,
         batch_over{what.batch, std::vector(what.jobs.size(), scheduling::job_outcome{job_state::failed, why, nullptr})});
    send(self_, parts_.optimizer, slot_freed{what.batch});
    if (what.starts_worker)
      send(self_, parts_.optimizer, worker_gone{worker_id{what.batch.value}});
  }

  void drop(batch_id batch) {
    runs_.erase(batch);
    parts_.router->forget(batch);
  }

  handle::pointer self_;
  executor_parts parts_;
  std::unordered_map<batch_id, run> runs_;
  std::vector<run_batch> waiting_; // for workers to be gone
  bool follow_up_armed_ = false;
};

} // namespace

local_executor_actor spawn_gpu_executor(caf::actor_system& system, executor_parts parts) {
  return spawn<gpu_executor_state, caf::detached>(system, std::move(parts));
}

} // namespace ferry::actors
