// What will start when: pictures for the forecaster, what is promised by its answers, and what users ask about it.
#include "actors/queue_state.hpp"
#include "config/limits.hpp"
#include "scheduling/batch_cost.hpp"
#include "scheduling/job_parts.hpp"

#include <algorithm>

namespace ferry::actors {

using namespace std::chrono_literals;
using scheduling::queued_job;

// After a change a forecast is made within a second, and at once where the last one was cheap; without one, after a while, since
// what runs may take longer than was expected.
constexpr duration look_soon = 50ms, look_late = 800ms, look_anew = 3s;
constexpr int rest_after_look = 20; // times what the last one took
// Shorter waits are promised, but not written into a job's history.
constexpr duration promise_worth_noting = 30s;
constexpr duration promises_saved_every = 60s;

// ---- looking ahead ----------------------------------------------------------------------------------------------------------

void queue_state::look_ahead() {
  is_outdated_ = true;
  if (!is_foreseeing_)
    look_ahead_in(std::clamp(rest_after_look * foreseeing_took_, look_soon, look_late));
}

void queue_state::look_ahead_in(duration wait) {
  const auto at = std::chrono::steady_clock::now() + wait;
  if (!parts_ || (look_ahead_at_ && *look_ahead_at_ <= at))
    return;
  look_ahead_at_ = at;
  send_later(self_, wait, picture_due{});
}

void queue_state::picture_is_due() {
  if (is_foreseeing_ || !look_ahead_at_ || std::chrono::steady_clock::now() + 5ms < *look_ahead_at_)
    return; // another one is on its way
  look_ahead_at_.reset();
  is_outdated_ = false;
  const bool goes_on = any_has_more_parts();
  if (nothing_starts() || (jobs_.size() == 0 && !goes_on)) {
    forecast_.reset();
    return;
  }
  auto seen = std::make_shared<scheduling::queue_picture>(picture(wall_clock_now()));
  if (!goes_on && seen->in_order.empty() && seen->delayed.empty() && seen->blocked.empty()) {
    forecast_.reset();
    return;
  }
  is_foreseeing_ = true;
  request(self_, parts_->forecaster, caf::infinite, foresee_starts{std::move(seen)}).then([this](const foreseen& what) {
    take(what);
  });
}

void queue_state::take(const foreseen& what) {
  is_foreseeing_ = false;
  foreseeing_took_ = what.took;
  if (nothing_starts()) {
    forecast_.reset();
    return;
  }
  forecast_ = what.what;
  for (const auto& [job, run] : forecast_->run_of)
    if (jobs_.find(job)) // it may have started meanwhile
      promises_.make(*forecast_, job);
  if (is_outdated_)
    look_ahead();
  else
    look_ahead_in(std::max(look_anew, rest_after_look * foreseeing_took_));
}

void queue_state::void_promises() {
  promises_.forget_all();
  look_ahead();
}

void queue_state::settle_promises(running_batch& batch, instant now) {
  bool any = false;
  for (member& one : batch.members)
    if (const auto told = promises_.settle(one.job.id, now)) {
      any = true;
      if (told->start - told->made >= promise_worth_noting)
        one.promised = told;
    }
  if (!any || now - promises_saved_ < promises_saved_every)
    return;
  promises_saved_ = now;
  std::vector<fact> facts{knowledge_gained{"promised starts", promises_.to_json().dump(), now}};
  request(self_, storage_, caf::infinite, record_facts{std::move(facts)}).then([](done) {});
}

// ---- pictures ---------------------------------------------------------------------------------------------------------------

scheduling::queue_picture queue_state::picture(instant now) {
  scheduling::queue_picture seen{.now = now, .types = settings_->job_types};
  const auto add = [&](const queued_job& job) {
    const auto* type = type_of(job.type);
    if (!type || held_types_.contains(job.type))
      return false;
    if (!seen.groups.contains(job.group))
      seen.groups.emplace(job.group, outlook(job.group, *type, now));
    if (const auto* values = tolerated(job.id))
      seen.tolerated.emplace(job.id, *values);
    return true;
  };
  for (const queued_job& job : jobs_.page(0, std::min(jobs_.size() - jobs_.kept_back(), limits::forecast_jobs_max)))
    if (add(job))
      seen.in_order.push_back(as_candidate(job, now));
  for (const auto& [job, until] : jobs_.delayed(limits::forecast_jobs_max))
    if (add(job))
      seen.delayed.emplace_back(as_candidate(job, now), until);
  for (const job_id id : needs_.jobs()) {
    const auto job = jobs_.find(id);
    if (job && job->blocked && !job->held && !job->delayed && needs_.verdict(id) == scheduling::needs_verdict::open && add(*job))
      seen.blocked.emplace_back(as_candidate(*job, now), needs_.open_needs(id));
  }
  seen.named = named_;
  seen.aging = jobs_.aging();
  if (const auto devices = board_->read().devices)
    seen.devices = *devices;
  for (const auto& [id, batch] : running_) {
    seen.running.emplace(id, outlook(batch, now));
    for (const auto& next : seen.running.at(id).go_on) {
      if (!seen.groups.contains(next.group))
        seen.groups.emplace(next.group, outlook(next.group, settings_->job_types[next.type], now));
      if (const auto* values = tolerated(next.id))
        seen.tolerated.emplace(next.id, *values);
    }
  }
  return seen;
}

scheduling::running_outlook queue_state::outlook(const running_batch& batch, instant now) const {
  scheduling::running_outlook seen{.jobs = {}, .go_on = {}, .named = {}, .ends = expected_end(batch, now)};
  const bool type_runs = type_of(batch.type) && !held_types_.contains(batch.type);
  for (const member& one : batch.members)
    if (!one.over) {
      seen.jobs.push_back(one.job.id);
      seen.named.push_back(one.job.named_group);
      if (!type_runs || !scheduling::has_more_parts(one.job) || one.wish != scheduling::user_wish::none)
        continue;
      seen.go_on.push_back(one.job);
      scheduling::finish_part(seen.go_on.back());
    }
  return seen;
}

bool queue_state::any_has_more_parts() const {
  return std::any_of(running_.begin(), running_.end(), [](const auto& batch) {
    return std::any_of(batch.second.members.begin(), batch.second.members.end(),
                       [](const member& one) { return scheduling::has_more_parts(one.job); });
  });
}

std::optional<instant> queue_state::expected_end(const running_batch& batch, const member& of, instant now) const {
  if (!scheduling::has_more_parts(of.job)) {
    const auto ends = expected_end(batch, now);
    return ends ? std::optional(ends->median) : std::nullopt;
  }
  const auto* last = forecast_ ? forecast_->find_last(of.job.id) : nullptr;
  if (!last || !last->is_known || !last->has_estimate)
    return std::nullopt;
  return promises_.stretched(forecast_->made, last->starts) + (last->ends - last->starts);
}

std::optional<scheduling::expected_end> queue_state::expected_end(const running_batch& batch, instant now) const {
  std::optional<duration> left, longest;
  double spread = 0;
  const auto* type = type_of(batch.type);
  for (const member& one : batch.members) {
    if (const auto by_steps = one.over ? std::nullopt : one.rate.left(now))
      left = std::max(left.value_or(duration{0}), *by_steps);
    const auto alone =
        type ? scheduling::expected_alone(one.job, *type, {.alone = knowledge_.at(batch.type).durations.predict({}, now)})
             : std::nullopt;
    if (!alone)
      continue;
    longest = std::max(longest.value_or(duration{0}), alone->median);
    spread = std::max(spread, alone->spread);
  }
  auto place = batch.place;
  place.since = batch.started;
  if (!place.ends && longest) // it was started by an earlier daemon
    place.ends = batch.started + scheduling::batch_time(*longest, static_cast<double>(batch.members.size()), batch.marginal);
  return scheduling::when_over(place, spread, left, now);
}

// ---- answers ----------------------------------------------------------------------------------------------------------------

planned_batch queue_state::plan_of(const scheduling::foreseen_run& run, const scheduling::forecast& seen) const {
  planned_batch plan{.id = {},
                     .type = type_names_.at(run.type),
                     .device = {},
                     .jobs = run.jobs,
                     .starts = promises_.stretched(seen.made, run.starts),
                     .is_known = run.is_known,
                     .loads = run.loads,
                     .alone = run.alone};
  if (const auto devices = board_->read().devices; devices && run.device < devices->accounts().size())
    plan.device = devices->accounts()[run.device].owner.id;
  if (const auto expected = promises_.expect(seen, run.jobs.front()))
    plan.late = expected->late;
  if (run.has_estimate) {
    plan.together = run.ends - run.works;
    if (run.is_known)
      plan.ends = plan.starts + (run.ends - run.starts);
  }
  return plan;
}

caf::result<result<explanation>> queue_state::explain(job_id id) {
  auto promise = self_->make_response_promise<result<explanation>>();
  request(self_, history_, caf::infinite, find_jobs{{id}, true}).then([this, id, promise](result<job_records>& found) mutable {
    if (!found || found->empty()) {
      promise.deliver(
          result<explanation>(found ? fail(error_code::not_found, "there is no job " + to_string(id)) : fail(found.error())));
      return;
    }
    auto answer = std::make_shared<explanation>(explanation{.job = view(std::move(found->front()))});
    const auto queued = jobs_.find(id);
    const auto* type = queued ? type_of(queued->type) : nullptr;
    if (!type || !queued->may_start() || held_types_.contains(queued->type) || !parts_) {
      promise.deliver(result<explanation>(std::move(*answer)));
      return;
    }
    const auto now = wall_clock_now();
    auto seen = std::make_shared<scheduling::queue_picture>(picture(now));
    seen->groups.try_emplace(queued->group, outlook(queued->group, *type, now));
    answer->promised = promises_.find(id);
    answer->devices = scheduling::find_obstacles(*queued, *seen);
    answer->share = why_behind(*queued, now);
    if (nothing_starts()) {
      promise.deliver(result<explanation>(std::move(*answer)));
      return;
    }
    request(self_, parts_->forecaster, caf::infinite, foresee_starts{std::move(seen)})
        .then([this, id, answer, promise](const foreseen& what) mutable {
          if (const auto* run = what.what->find(id)) {
            answer->planned = plan_of(*run, *what.what);
            answer->job.expected_start = promises_.expect(*what.what, id);
          }
          promise.deliver(result<explanation>(std::move(*answer)));
        });
  });
  return promise;
}

caf::result<result<batch_plan>> queue_state::plan(const read_batches& what) {
  const auto now = wall_clock_now();
  batch_plan answer;
  for (const auto& [id, batch] : running_) {
    const auto ends = expected_end(batch, now);
    answer.running.push_back({.id = id,
                              .type = type_names_.at(batch.type),
                              .device = batch.device,
                              .jobs = outlook(batch, now).jobs,
                              .starts = batch.started,
                              .ends = ends ? std::optional(ends->median) : std::nullopt,
                              .loads = batch.starts_worker});
  }
  std::sort(answer.running.begin(), answer.running.end(),
            [](const planned_batch& a, const planned_batch& b) { return a.id < b.id; });
  if (!parts_)
    return result<batch_plan>(std::move(answer));
  auto promise = self_->make_response_promise<result<batch_plan>>();
  request(self_, parts_->forecaster, caf::infinite, foresee_starts{std::make_shared<scheduling::queue_picture>(picture(now))})
      .then([this, promise, limit = what.limit, answer = std::move(answer)](const foreseen& made) mutable {
        for (const auto& run : made.what->runs) {
          answer.is_whole = answer.next.size() < limit;
          if (!answer.is_whole)
            break;
          answer.next.push_back(plan_of(run, *made.what));
        }
        promise.deliver(result<batch_plan>(std::move(answer)));
      });
  return promise;
}

result<std::vector<queued_job>> queue_state::changed_by(const try_change& what) {
  auto job = jobs_.find(what.id);
  if (!job)
    return fail(why_not_queued(what.id));
  if (what.target)
    return jobs_.plan_move(what.id, *what.target);
  if (auto valid = scheduling::check_priority(what.priority.value_or(job->priority)); !valid)
    return fail(valid.error());
  if (what.priority && *what.priority != job->priority)
    give_priority(*job, *what.priority);
  return std::vector{*job};
}

caf::result<result<start_changes>> queue_state::try_out(const try_change& what) {
  const auto changed = changed_by(what);
  if (!changed)
    return result<start_changes>(fail(changed.error()));
  if (!parts_)
    return result<start_changes>(start_changes{});
  auto before = std::make_shared<scheduling::queue_picture>(picture(wall_clock_now()));
  auto after = std::make_shared<scheduling::queue_picture>(*before);
  scheduling::reorder(*after, *changed);
  std::map<job_id, start_change> changes;
  for (std::size_t i = 0; i < before->in_order.size(); ++i) {
    changes[before->in_order[i].id].before.position = i + 1;
    changes[after->in_order[i].id].after.position = i + 1;
  }
  auto promise = self_->make_response_promise<result<start_changes>>();
  request(self_, parts_->forecaster, caf::infinite, foresee_starts{std::move(before)})
      .then([this, promise, after = std::move(after), changes = std::move(changes)](const foreseen& as_is) mutable {
        request(self_, parts_->forecaster, caf::infinite, foresee_starts{std::move(after)})
            .then([this, promise, as_is = as_is.what, changes = std::move(changes)](const foreseen& then) mutable {
              start_changes answer;
              for (auto& [job, change] : changes) {
                change.job = job;
                if (const auto start = promises_.expect(*as_is, job))
                  change.before.start = start->start;
                if (const auto start = promises_.expect(*then.what, job))
                  change.after.start = start->start;
                if (change.before.position != change.after.position || change.before.start != change.after.start)
                  answer.push_back(change);
              }
              std::sort(answer.begin(), answer.end(),
                        [](const start_change& a, const start_change& b) { return a.after.position < b.after.position; });
              promise.deliver(result<start_changes>(std::move(answer)));
            });
      });
  return promise;
}

statistics queue_state::measured() const {
  statistics found{.types = {}, .promises = promises_.tallies(), .users = list_users(wall_clock_now())};
  for (std::size_t i = 0; i < knowledge_.size(); ++i)
    if (knowledge_[i].saved.jobs > 0)
      found.types.emplace(type_names_.at(i), knowledge_[i].saved);
  return found;
}

} // namespace ferry::actors
