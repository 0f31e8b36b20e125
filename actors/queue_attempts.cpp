// What ends, and what comes after it: a job that is over, or another attempt.
#include "actors/queue_state.hpp"

#include <algorithm>
#include <spdlog/spdlog.h>

namespace ferry::actors {

using namespace std::chrono_literals;

// One timer never runs longer than this, so that a clock that is set is noticed.
constexpr duration timer_max = 1min;

void queue_state::over(const batch_over& what) {
  if (running_.contains(what.batch))
    finish(what.batch, what.outcomes);
}

void queue_state::finish(batch_id id, std::vector<scheduling::job_outcome> outcomes) {
  auto& batch = running_.at(id);
  batch.at = phase::ending;
  const auto now = wall_clock_now();
  std::vector<fact> facts;
  std::vector<ending> endings;
  for (std::size_t i = 0; i < batch.jobs.size(); ++i) {
    auto then = scheduling::decide_after(outcomes.at(i), batch.jobs[i], type_of(batch.type), batch.cancel, now);
    endings.push_back({std::move(outcomes[i]), std::move(then)});
    const auto ended = std::clamp(endings.back().outcome.ended.value_or(now), batch.started, std::max(batch.started, now));
    facts.push_back(fact_of(endings.back(), batch.jobs[i].id, id, ended));
  }
  facts.emplace_back(batch_ended{id, now});
  send(self_, parts_->watchdog, forget_batch{id});
  request(self_, storage_, caf::infinite, record_facts{std::move(facts)}).then([this, id, endings = std::move(endings)](done) {
    stored_end(id, endings);
  });
}

fact queue_state::fact_of(const ending& of, job_id job, batch_id batch, instant at) const {
  const auto& outcome = of.outcome;
  if (const auto* waits = std::get_if<scheduling::job_waits>(&of.then))
    return attempt_ended{.id = job,
                         .batch = batch,
                         .how = waits->how,
                         .why_failed = outcome.why_failed,
                         .not_before = waits->not_before,
                         .held = waits->held,
                         .held_for = waits->held_for,
                         .retries = waits->retries,
                         .step = outcome.step,
                         .notes = outcome.notes,
                         .at = at};
  return job_finished{.id = job,
                      .batch = batch,
                      .state = std::get<scheduling::job_ends>(of.then).state,
                      .why_failed = outcome.why_failed,
                      .result = outcome.result.is_null() ? std::string{}
                                                         : outcome.result.dump(-1, ' ', false, json::error_handler_t::replace),
                      .notes = outcome.notes,
                      .at = at};
}

void queue_state::stored_end(batch_id id, const std::vector<ending>& endings) {
  const auto node = running_.extract(id);
  const auto& batch = node.mapped();
  bool again = false;
  for (std::size_t i = 0; i < batch.jobs.size(); ++i) {
    running_jobs_.erase(batch.jobs[i].id);
    if (const auto* waits = std::get_if<scheduling::job_waits>(&endings[i].then)) {
      queue_again(batch.jobs[i], *waits);
      again = true;
      if (batch.cancel) // asked for while its end was on its way to the disk
        request(self_, handle(self_), caf::infinite, cancel_job{batch.jobs[i].id}).then([](const result<done>&) {});
    } else {
      count(std::get<scheduling::job_ends>(endings[i].then).state);
    }
  }
  watch_for_storms(batch.type, endings, wall_clock_now());
  publish();
  for (std::size_t i = 0; i < batch.jobs.size(); ++i)
    if (std::holds_alternative<scheduling::job_ends>(endings[i].then))
      wake_waiters(batch.jobs[i].id);
  if (again) {
    arm_delays();
    queue_changed();
  }
}

void queue_state::queue_again(scheduling::queued_job job, const scheduling::job_waits& waits) {
  job.attempts = static_cast<std::uint16_t>(std::min(job.attempts + 1, 65'535));
  job.retries = static_cast<std::uint8_t>(waits.retries);
  job.start_crashes = 0;
  job.held = waits.held;
  job.delayed = false;
  if (waits.not_before && *waits.not_before > wall_clock_now())
    jobs_.delay(job, *waits.not_before);
  else
    jobs_.add(job);
}

void queue_state::arm_delays() {
  const auto due = jobs_.next_due();
  if (!due || (delays_armed_ && *delays_armed_ <= *due))
    return;
  const auto now = wall_clock_now();
  const auto wait = std::clamp<duration>(*due - now, 1ms, timer_max);
  delays_armed_ = now + wait;
  send_later(self_, wait, delays_due{});
}

void queue_state::watch_for_storms(scheduling::type_index type, const std::vector<ending>& endings, instant now) {
  const auto* declared = type_of(type);
  if (!declared)
    return;
  for (const ending& e : endings)
    if (!e.outcome.interrupted)
      if (const auto reason = storms_[type].job_ended(*declared, e.outcome.state, e.outcome.why_failed, now))
        hold_storming(type, *reason);
}

void queue_state::count(job_state state) {
  switch (state) {
  case job_state::completed: ++completed_; break;
  case job_state::failed: ++failed_; break;
  case job_state::cancelled: ++cancelled_; break;
  default: break;
  }
}

void queue_state::wake_waiters(job_id id) {
  auto node = waiters_.extract(id);
  if (node.empty())
    return;
  waiting_ -= node.mapped().size();
  for (waiter& w : node.mapped())
    w.promise.deliver(result<done>(done{}));
}

queue_state::running_batch* queue_state::batch_of(job_id id) {
  const auto batch = running_jobs_.find(id);
  return batch == running_jobs_.end() ? nullptr : &running_.at(batch->second);
}

} // namespace ferry::actors
