// What is submitted, until it is in the queue.
#include "actors/queue_state.hpp"

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
  forget_unused_groups();
  auto admitted = scheduling::admit_all(std::move(what.jobs), jobs_.size(), {*settings_, devices_, &needed});
  if (!admitted) {
    promise.deliver(result<jobs_submitted>(fail(std::move(admitted.error()))));
    return;
  }
  const auto now = wall_clock_now();
  std::vector<fact> facts;
  std::vector<arrival> arrivals;
  std::vector<scheduling::group_index> groups;
  facts.reserve(admitted->size());
  arrivals.reserve(admitted->size());
  for (auto& job : *admitted) {
    const auto not_before = job.delay.count() > 0 ? std::optional(now + job.delay) : std::nullopt;
    arrivals.push_back({newly_queued(job, now), not_before});
    const job_id id = arrivals.back().job.id;
    groups.push_back(arrivals.back().job.group);
    if (!job.needs.empty())
      needs_.add(id, job.on_needs_failure, scheduling::with_states(job.needs, needed));
    facts.emplace_back(job_queued{id, job.type->name, std::move(job.params), std::move(job.name), job.priority,
                                  arrivals.back().job.order_key, job.held, now, job.resumed_from, not_before, std::move(job.needs),
                                  job.on_needs_failure});
  }
  request(self_, storage_, caf::infinite, append_facts{std::move(facts), std::move(what.from)})
      .then([this, promise, arrivals = std::move(arrivals),
             pin = groups_.pin(std::move(groups))](const result<storage::append_outcome>& outcome) mutable {
        if (outcome && outcome->already_submitted.empty()) {
          promise.deliver(result<jobs_submitted>(submitted(arrivals)));
          return;
        }
        for (const arrival& unused : arrivals)
          needs_.forget(unused.job.id);
        promise.deliver(outcome ? result<jobs_submitted>(submitted_before(outcome->already_submitted))
                                : result<jobs_submitted>(fail(outcome.error())));
      });
}

queued_job queue_state::newly_queued(const scheduling::admitted_job& job, instant now) {
  last_job_.value += 1;
  last_order_key_ += scheduling::order_key_step;
  queued_job made{.id = last_job_,
                  .order_key = last_order_key_,
                  .created = now,
                  .type = static_cast<scheduling::type_index>(job.type - settings_->job_types.data()),
                  .priority = static_cast<std::uint8_t>(job.priority),
                  .tier = static_cast<std::uint8_t>(job.type->tier & 0xF),
                  .held = job.held};
  if (scheduling::reads_parameters(*job.type))
    classify(made, json::parse(job.params));
  else
    made.group = made.type;
  return made;
}

// They are on disk.
jobs_submitted queue_state::submitted(const std::vector<arrival>& arrivals) {
  job_ids ids;
  for (const auto& [job, not_before] : arrivals) {
    if (not_before)
      jobs_.delay(job, *not_before);
    else
      jobs_.add(job);
    ids.push_back(job.id);
  }
  settle_needs(ids);
  arm_delays();
  publish();
  jobs_submitted answer;
  for (const job_id id : ids)
    answer.jobs.push_back(place_of(id));
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
