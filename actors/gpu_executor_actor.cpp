#include "actors/gpu_executor_actor.hpp"

#include "actors/run_reporter.hpp"
#include "scheduling/batch_traits.hpp"

#include <algorithm>
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

  gpu_executor_state(handle::pointer self, executor_parts parts)
      : self_(self),
        parts_(std::move(parts)),
        reporter_(parts_.queue, parts_.optimizer, parts_.watchdog, parts_.control->directory_of({}).parent_path()) {}

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
    followed_run of;
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
      reporter_.tell_all_failed(what, failure{.kind = failure_kind::input, .message = to_string(spec.error())});
      return;
    }
    launch(what, *spec);
  }

  [[nodiscard]] result<runners::run_spec> spec_of(const run_batch& what) const {
    auto spec = reporter_.spec_of(what, parts_.on, choose_worker(what));
    if (spec && !what.type->survive_partition)
      spec->lease_file = parts_.lease_file;
    return spec;
  }

  void launch(const run_batch& what, const runners::run_spec& spec) {
    const worker_id worker = worker_of(what);
    run made{.of = {run_tally(what.jobs, !worker.is_none()), what.type}};
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

  void adopt(const adopt_batch& what) {
    runs_.insert_or_assign(what.batch, run{{run_tally(what.jobs, !parts_.control->worker_of(what.batch).is_none()), what.type}});
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
      runs_.at(what.batch)
          .of.tally.give_up({.kind = failure_kind::lost, .message = "its run directory is damaged: " + damaged->why});
    else
      for (const auto& event : lost->events)
        runs_.at(what.batch).of.tally.add(event);
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
      reporter_.tell_stopped_unlaunched(what, unlaunched.jobs, unlaunched.starts_worker);
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
    parts_.control->stop(what.batch, to_text(what.reason), of.of.type ? of.of.type->grace : grace_of_unknown_type, what.jobs);
  }

  void follow(const runners::run_control::report& report) {
    if (!report.worker.is_none()) {
      worker_is_gone(report.worker);
      return;
    }
    const auto found = runs_.find(report.batch);
    if (found == runs_.end())
      return;
    if (!report.events.empty())
      found->second.waits_since.reset();
    reporter_.tell(report.batch, found->second.of, report.events, report.over);
    if (report.never_handed)
      take_back(report.batch);
    else if (report.over)
      finish(report.batch);
  }

  void finish(batch_id batch) {
    auto of = runs_.at(batch).of;
    if (!of.tally.has_ended() && never_started(batch))
      return;
    drop(batch);
    reporter_.tell_end(batch, of, of.tally.worker_has_ended() || !of.tally.has_ended());
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

  void drop(batch_id batch) {
    runs_.erase(batch);
    parts_.router->forget(batch);
  }

  handle::pointer self_;
  executor_parts parts_;
  run_reporter reporter_;
  std::unordered_map<batch_id, run> runs_;
  std::vector<run_batch> waiting_; // for workers to be gone
  bool follow_up_armed_ = false;
};

} // namespace

local_executor_actor spawn_gpu_executor(caf::actor_system& system, executor_parts parts) {
  return spawn<gpu_executor_state, caf::detached>(system, std::move(parts));
}

} // namespace ferry::actors
