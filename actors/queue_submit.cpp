// What is submitted, until it is in the queue.
#include "actors/queue_state.hpp"

#include "scheduling/job_parts.hpp"

#include <algorithm>
#include <utility>

namespace ferry::actors {

using scheduling::queued_job;

// What requests need is looked up first: it decides whether they are taken, and what becomes of them.
caf::result<result<jobs_submitted>> queue_state::submit(submit_jobs& what) {
  auto promise = self_->make_response_promise<result<jobs_submitted>>();
  auto needed = scheduling::needed_by(what.jobs);
  if (needed.empty()) {
    admit(std::move(what), {}, promise);
    return promise;
  }
  look_up(std::move(needed),
          [this, what = std::make_shared<submit_jobs>(std::move(what)), promise](result<scheduling::needed_states> found) mutable {
            if (found)
              admit(std::move(*what), *found, promise);
            else
              promise.deliver(result<jobs_submitted>(fail(found.error())));
          });
  return promise;
}

void queue_state::admit(submit_jobs what, const scheduling::needed_states& needed, promise_of<jobs_submitted> promise) {
  const auto is_undecided = [this](const job_request& one) {
    const auto owner = one.unique_key.empty() ? std::nullopt : keys_.find(one.unique_key);
    return owner && !owner->is_stored;
  };
  if (std::any_of(what.jobs.begin(), what.jobs.end(), is_undecided)) {
    submit_later(std::move(what), promise);
    return;
  }
  forget_unused_groups();
  auto admitted = scheduling::admit_all(std::move(what.jobs), jobs_.size(), {*settings_, devices_, &needed});
  if (const auto ok = admitted ? find_groups(*admitted) : fail(admitted.error()); !ok) {
    promise.deliver(result<jobs_submitted>(fail(ok.error())));
    return;
  }
  const auto now = wall_clock_now();
  submission_plan plan;
  std::vector<fact> facts;
  auto places = placing(now);
  plan.arrivals.reserve(admitted->size());
  facts.reserve(admitted->size());
  for (auto& job : *admitted) {
    const auto owner = job.unique_key.empty() ? std::nullopt : keys_.find(job.unique_key);
    if (owner) { // queued, running, or before it in this very request
      plan.answer.push_back({.id = owner->id, .position = {}, .existing = true});
      what.from.answered.push_back(owner->id);
      continue;
    }
    facts.push_back(plan_arrival(plan, job, needed, places, now));
    what.from.answered.push_back(plan.answer.back().id);
  }
  what.from.at = now;
  if (plan.arrivals.empty() && what.from.key.empty())
    promise.deliver(result<jobs_submitted>(submitted(plan)));
  else
    store_plan(std::move(plan), std::move(facts), std::move(what.from), promise);
}

// A job with the same unique key is on its way to the disk; what becomes of it is known once a message sent now comes back.
void queue_state::submit_later(submit_jobs what, promise_of<jobs_submitted> promise) {
  request(self_, storage_, caf::infinite, append_facts{})
      .then([this, what = std::make_shared<submit_jobs>(std::move(what)), promise](const result<storage::append_outcome>&) mutable {
        request(self_, handle(self_), caf::infinite, std::move(*what)).then([promise](const result<jobs_submitted>& made) mutable {
          promise.deliver(made);
        });
      });
}

// All of them, before anything is changed.
result<void> queue_state::find_groups(const std::vector<scheduling::admitted_job>& jobs) {
  std::vector<std::string> names;
  for (const auto& job : jobs)
    names.push_back(job.group);
  if (auto added = named_.add_all(names, [this](auto index) { return jobs_.queued_in(index) > 0; }); !added)
    return added;
  return find_users(jobs);
}

fact queue_state::plan_arrival(submission_plan& plan, scheduling::admitted_job& job, const scheduling::needed_states& needed,
                               scheduling::fair_placing& places, instant now) {
  const auto not_before = job.delay.count() > 0 ? std::optional(now + job.delay) : std::nullopt;
  const auto made = newly_queued(job, places, now);
  plan.arrivals.push_back({made, not_before});
  plan.answer.push_back({.id = made.id, .position = {}});
  if (!job.needs.empty())
    needs_.add(made.id, job.on_needs_failure, scheduling::with_states(job.needs, needed));
  if (!job.unique_key.empty())
    keys_.reserve(job.unique_key, made.id);
  named_.arriving(made.named_group);
  users_.arriving(made.user);
  return job_queued{.id = made.id,
                    .type = job.type->name,
                    .params = std::move(job.params),
                    .name = std::move(job.name),
                    .priority = job.priority,
                    .order_key = made.order_key,
                    .held = job.held,
                    .at = now,
                    .resumed_from = job.resumed_from,
                    .not_before = not_before,
                    .needs = std::move(job.needs),
                    .on_needs_failure = job.on_needs_failure,
                    .group = std::move(job.group),
                    .unique_key = std::move(job.unique_key),
                    .user = std::move(job.user),
                    .waits_since = made.waits_since == now ? std::nullopt : std::optional(made.waits_since),
                    .on = std::move(job.on)};
}

queued_job queue_state::newly_queued(const scheduling::admitted_job& job, scheduling::fair_placing& places, instant now) {
  last_job_.value += 1;
  queued_job made{.id = last_job_,
                  .created = now,
                  .waits_since = now,
                  .type = static_cast<scheduling::type_index>(job.type - settings_->job_types.data()),
                  .named_group = named_.find(job.group).value_or(0),
                  .user = users_.find(job.user).value_or(0),
                  .priority = static_cast<std::uint8_t>(job.priority),
                  .tier = settings_->queue.fair_share.order_tier(job.type->tier),
                  .lane = settings_->queue.fair_share.lane(job.type->tier),
                  .held = job.held};
  if (scheduling::reads_parameters(*job.type) || !job.on.is_empty())
    classify(made, json::parse(job.params), job.on);
  else
    made.group = made.type;
  give_place(made, places, now);
  return made;
}

void queue_state::store_plan(submission_plan plan, std::vector<fact> facts, storage::submission from,
                             promise_of<jobs_submitted> promise) {
  std::vector<scheduling::group_index> groups;
  for (const arrival& one : plan.arrivals)
    groups.push_back(one.job.group);
  plan.pin = groups_.pin(std::move(groups));
  request(self_, storage_, caf::infinite, append_facts{std::move(facts), std::move(from)})
      .then([this, promise, plan = std::move(plan)](const result<storage::append_outcome>& outcome) mutable {
        if (outcome && outcome->already_submitted.empty()) {
          promise.deliver(result<jobs_submitted>(submitted(plan)));
          return;
        }
        abandon(plan.arrivals);
        promise.deliver(outcome ? result<jobs_submitted>(submitted_before(outcome->already_submitted))
                                : result<jobs_submitted>(fail(outcome.error())));
      });
}

// ---- what would become of it ------------------------------------------------------------------------------------------------

caf::result<result<submit_outlook>> queue_state::try_out(const std::shared_ptr<job_request>& what) {
  auto promise = self_->make_response_promise<result<submit_outlook>>();
  look_up(scheduling::needed_by({*what}), [this, what, promise](const result<scheduling::needed_states>& found) mutable {
    auto admitted = found ? scheduling::admit_all({std::move(*what)}, jobs_.size(), {*settings_, devices_, &*found})
                          : result<std::vector<scheduling::admitted_job>>(fail(found.error()));
    if (const auto ok = admitted ? find_groups(*admitted) : fail(admitted.error()); ok)
      try_out(admitted->front(), promise);
    else
      promise.deliver(result<submit_outlook>(fail(ok.error())));
  });
  return promise;
}

// It joins the queue for as long as it takes to look, and is gone before anybody else can.
void queue_state::try_out(const scheduling::admitted_job& job, promise_of<submit_outlook> promise) {
  const auto now = wall_clock_now();
  auto places = placing(now);
  const auto made = newly_queued(job, places, now);
  const auto id = made.id;
  auto answer = std::make_shared<submit_outlook>();
  if (const auto alone = scheduling::expected_alone(refreshed(made, now), *job.type, outlook(made.group, *job.type, now)))
    answer->takes = alone->median * (1 + scheduling::parts_after(made));
  const bool would_wait_in_line = !job.held && job.delay.count() == 0 && job.needs.empty();
  std::shared_ptr<scheduling::queue_picture> seen;
  if (would_wait_in_line) {
    jobs_.add(made);
    answer->position = jobs_.position(id);
    if (parts_ && !nothing_starts())
      seen = std::make_shared<scheduling::queue_picture>(picture(now));
    jobs_.remove(id);
  }
  take_place_back(made);
  tolerated_.erase(id);
  last_job_.value -= 1;
  if (!seen) {
    promise.deliver(result<submit_outlook>(*answer));
    return;
  }
  request(self_, parts_->forecaster, caf::infinite, foresee_starts{std::move(seen)})
      .then([this, id, answer, promise](const foreseen& what) mutable {
        answer->expected_start = promises_.expect(*what.what, id);
        promise.deliver(result<submit_outlook>(*answer));
      });
}

// ---- what was not stored, and what was --------------------------------------------------------------------------------------

// They never were.
void queue_state::abandon(const std::vector<arrival>& arrivals) {
  for (auto one = arrivals.rbegin(); one != arrivals.rend(); ++one)
    take_place_back(one->job);
  for (const arrival& unused : arrivals) {
    needs_.forget(unused.job.id);
    keys_.free(unused.job.id);
    named_.arrived(unused.job.named_group);
    users_.arrived(unused.job.user);
    tolerated_.erase(unused.job.id);
  }
}

// They are on disk.
jobs_submitted queue_state::submitted(const submission_plan& plan) {
  job_ids ids;
  for (const auto& [job, not_before] : plan.arrivals) {
    if (not_before)
      jobs_.delay(job, *not_before);
    else
      jobs_.add(job);
    named_.arrived(job.named_group);
    users_.arrived(job.user);
    keys_.stored(job.id);
    ids.push_back(job.id);
  }
  settle_needs(ids);
  arm_delays();
  publish();
  jobs_submitted answer;
  for (const submitted_job& one : plan.answer) {
    answer.jobs.push_back(place_of(one.id));
    answer.jobs.back().existing = one.existing;
  }
  if (!ids.empty())
    queue_changed();
  return answer;
}

jobs_submitted queue_state::submitted_before(const std::vector<job_id>& ids) const {
  jobs_submitted answer{.jobs = {}, .repeated = true};
  for (const job_id id : ids)
    answer.jobs.push_back(place_of(id));
  return answer;
}

submitted_job queue_state::place_of(job_id id) const {
  submitted_job found{id, jobs_.position(id)};
  if (!found.position) {
    found.waiting_for = why_it_needs(id);
    if (const auto not_before = jobs_.delayed_until(id); not_before && found.waiting_for.empty())
      found.waiting_for = "it is not to start before " + to_rfc3339(*not_before);
  }
  return found;
}

} // namespace ferry::actors
