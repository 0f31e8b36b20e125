// What ends, and what comes after it: a job that is over, or another attempt.
#include "actors/queue_state.hpp"

#include "scheduling/job_parts.hpp"

#include <algorithm>
#include <spdlog/spdlog.h>

namespace ferry::actors {

namespace {

std::string text_of(const json& result) {
  return result.is_null() ? std::string{} : result.dump(-1, ' ', false, json::error_handler_t::replace);
}

} // namespace

using namespace std::chrono_literals;
using scheduling::user_wish;

// One timer never runs longer than this, so that a clock that is set is noticed.
constexpr duration timer_max = 1min;
// Steps of priority are looked at no more often, and so many at once: a hundred thousand jobs that were submitted together gain
// theirs together, and others are to get through in between.
constexpr duration steps_apart = 50ms;
constexpr std::size_t steps_at_once = 10'000;

void queue_state::over(const batch_over& what) {
  if (running_.contains(what.batch))
    finish(what.batch, what.outcomes);
}

// Before the others: its batch goes on.
void queue_state::job_is_over(job_over& what) {
  const auto found = running_.find(what.batch);
  auto* one = found == running_.end() || found->second.at == phase::ending ? nullptr : found->second.find(what.job);
  if (!one || one->over)
    return;
  one->over = true;
  std::vector<fact> facts;
  const auto index = static_cast<std::size_t>(one - found->second.members.data());
  auto endings = decide(found->second, what.batch, {index}, {std::move(what.outcome)}, facts);
  note_ends(found->second, endings);
  watch_for_storms(found->second.type, endings, wall_clock_now());
  count_use(found->second, endings, wall_clock_now());
  request(self_, storage_, caf::infinite, record_facts{std::move(facts)}).then([this, id = what.batch, endings](done) {
    next_parts_are_stored(endings);
    if (const auto batch = running_.find(id); batch != running_.end())
      settle(id, batch->second, endings);
  });
  await_next_parts(endings);
}

void queue_state::finish_unlaunched(batch_id id, const scheduling::stop_reason& reason) {
  std::vector<scheduling::job_outcome> outcomes;
  for (const member& one : running_.at(id).members) {
    const bool by_user = reason.cause == scheduling::stop_cause::cancel || reason.cause == scheduling::stop_cause::suspend;
    outcomes.push_back(scheduling::judge_unlaunched(reason, !by_user || one.wish != user_wish::none));
  }
  finish(id, std::move(outcomes));
}

void queue_state::finish(batch_id id, std::vector<scheduling::job_outcome> outcomes) {
  auto& batch = running_.at(id);
  batch.at = phase::ending;
  learn(batch, outcomes);
  std::vector<std::size_t> left;
  std::vector<scheduling::job_outcome> of_left;
  for (std::size_t i = 0; i < batch.members.size(); ++i)
    if (!batch.members[i].over) {
      left.push_back(i);
      of_left.push_back(std::move(outcomes.at(i)));
    }
  std::vector<fact> facts;
  auto endings = decide(batch, id, left, std::move(of_left), facts);
  note_ends(batch, endings);
  watch_for_storms(batch.type, endings, wall_clock_now()); // now, so that a type which is held starts no further job
  count_use(batch, endings, wall_clock_now());
  facts.emplace_back(batch_ended{id, wall_clock_now()});
  send(self_, parts_->watchdog, forget_batch{id});
  request(self_, storage_, caf::infinite, record_facts{std::move(facts)}).then([this, id, endings](done) {
    next_parts_are_stored(endings);
    stored_end(id, endings);
  });
  await_next_parts(endings);
}

void queue_state::note_ends(running_batch& batch, const std::vector<ending>& endings) {
  for (const ending& e : endings)
    batch.find(e.job)->goes_on = std::holds_alternative<scheduling::job_waits>(e.then);
}

void queue_state::await_next_parts(const std::vector<ending>& endings) {
  const auto parts = parts_done_in(endings);
  parts_on_their_way_ += parts;
  if (parts > 0) // the end of a run waits a little for others to be stored with, but for this
    request(self_, storage_, caf::infinite, append_facts{}).then([](const result<storage::append_outcome>&) {});
}

void queue_state::next_parts_are_stored(const std::vector<ending>& endings) { parts_on_their_way_ -= parts_done_in(endings); }

std::size_t queue_state::parts_done_in(const std::vector<ending>& endings) {
  return static_cast<std::size_t>(std::count_if(endings.begin(), endings.end(), [](const ending& e) {
    const auto* waits = std::get_if<scheduling::job_waits>(&e.then);
    return waits && waits->how == attempt_end::part_done;
  }));
}

std::vector<queue_state::ending> queue_state::decide(const running_batch& batch, batch_id id,
                                                     const std::vector<std::size_t>& members,
                                                     std::vector<scheduling::job_outcome> outcomes,
                                                     std::vector<fact>& facts) const {
  const auto now = wall_clock_now();
  std::vector<ending> endings;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const member& one = batch.members[members[i]];
    auto then = scheduling::decide_after(outcomes.at(i), one.job, type_of(batch.type), one.wish, now);
    if (one.promised)
      outcomes[i].notes.insert(outcomes[i].notes.begin(), note_of(*one.promised));
    endings.push_back({one.job.id, std::move(outcomes[i]), std::move(then)});
    const auto ended = std::clamp(endings.back().outcome.ended.value_or(now), batch.started, std::max(batch.started, now));
    facts.push_back(fact_of(endings.back(), id, ended));
  }
  return endings;
}

fact queue_state::fact_of(const ending& of, batch_id batch, instant at) const {
  const auto& outcome = of.outcome;
  if (const auto* waits = std::get_if<scheduling::job_waits>(&of.then))
    return attempt_ended{.id = of.job,
                         .batch = batch,
                         .how = waits->how,
                         .why_failed = outcome.why_failed,
                         .not_before = waits->not_before,
                         .held = waits->held,
                         .held_for = waits->held_for,
                         .retries = waits->retries,
                         .step = outcome.step,
                         .notes = outcome.notes,
                         .at = at,
                         .batch_max = waits->batch_max,
                         .items_max = waits->items_max,
                         .result = waits->how == attempt_end::part_done ? text_of(outcome.result) : std::string{}};
  return job_finished{.id = of.job,
                      .batch = batch,
                      .state = std::get<scheduling::job_ends>(of.then).state,
                      .why_failed = outcome.why_failed,
                      .result = text_of(outcome.result),
                      .notes = outcome.notes,
                      .at = at};
}

run_note queue_state::note_of(const scheduling::start_promise& told) {
  return {note_kind::promised, told.made, {{"start", to_rfc3339(told.start)}, {"late", to_rfc3339(told.late)}}};
}

void queue_state::stored_end(batch_id id, const std::vector<ending>& endings) {
  auto node = running_.extract(id);
  settle(id, node.mapped(), endings);
}

// Their ends are on disk.
void queue_state::settle(batch_id id, running_batch& batch, const std::vector<ending>& endings) {
  bool again = false;
  for (const ending& e : endings) {
    const member& one = *batch.find(e.job);
    running_jobs_.erase(e.job);
    runs_no_more(one.job);
    again = again || one.job.named_group != 0; // there is room for another one of its group
    if (const auto* waits = std::get_if<scheduling::job_waits>(&e.then)) {
      auto then = *waits; // and what was asked for while that was on its way to the disk
      then.held = then.held || one.wish == user_wish::cancel || one.suspended_at_end;
      queue_again(one.job, then);
      tell(e.job);
      again = true;
      if (one.wish == user_wish::resume && (one.suspended_at_end || waits->held_for == scheduling::suspended_reason))
        request(self_, handle(self_), caf::infinite, release_job{e.job}).then([](const result<done>&) {});
      if (one.wish == user_wish::cancel)
        request(self_, handle(self_), caf::infinite, cancel_job{e.job}).then([](const result<done>&) {});
    } else {
      tolerated_.erase(e.job);
      keys_.free(e.job);
      count(std::get<scheduling::job_ends>(e.then).state);
    }
  }
  publish();
  look_ahead();
  for (const ending& e : endings)
    if (const auto* ends = std::get_if<scheduling::job_ends>(&e.then)) {
      tell_end(e.job, ends->state, id, batch.device);
      wake_waiters(e.job);
      needed_ended(e.job, ends->state);
    }
  if (again) {
    arm_delays();
    queue_changed();
  }
}

void queue_state::queue_again(scheduling::queued_job job, const scheduling::job_waits& waits) {
  if (ferry::counts(waits.how))
    job.tried = true;
  if (waits.how == attempt_end::part_done)
    scheduling::finish_part(job);
  job.items_max = static_cast<std::uint8_t>(waits.items_max);
  job.batch_max = static_cast<std::uint8_t>(waits.batch_max);
  job.retries = static_cast<std::uint8_t>(waits.retries);
  job.start_crashes = 0;
  job.begin_to_wait(wall_clock_now());
  job.held = waits.held;
  job.delayed = false;
  if (waits.not_before && *waits.not_before > wall_clock_now())
    jobs_.delay(job, *waits.not_before);
  else
    jobs_.add(job);
}

// One timer for both: the end of a delay, and the next step that a job gains by waiting.
void queue_state::arm_delays() {
  const auto now = wall_clock_now();
  auto due = jobs_.next_due();
  if (const auto step = jobs_.next_step(); step && (!due || *step < *due))
    due = std::max(*step, now + steps_apart);
  if (!due || (delays_armed_ && *delays_armed_ <= *due))
    return;
  const auto wait = std::clamp<duration>(*due - now, 1ms, timer_max);
  delays_armed_ = now + wait;
  send_later(self_, wait, delays_due{*delays_armed_});
}

void queue_state::delays_over(const delays_due& what) {
  if (delays_armed_ != what.armed_for) // another one was armed that comes earlier
    return;
  delays_armed_.reset();
  const auto now = wall_clock_now();
  const auto released = jobs_.release_due(now), gained = jobs_.age(now, steps_at_once);
  if (released > 0)
    publish();
  if (released + gained > 0)
    queue_changed();
  arm_delays();
}

void queue_state::watch_for_storms(scheduling::type_index type, const std::vector<ending>& endings, instant now) {
  const auto* declared = type_of(type);
  if (!declared)
    return;
  for (const ending& e : endings)
    if (scheduling::tells_of_type(e.outcome, e.then))
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
