// What users ask of the queue.
#include "actors/queue_state.hpp"
#include "config/limits.hpp"
#include "scheduling/job_parts.hpp"

#include <algorithm>
#include <set>
#include <spdlog/spdlog.h>
#include <utility>

namespace ferry::actors {

using scheduling::queued_job;

void queue_state::store(std::vector<fact> facts, done_promise promise, std::function<void()> revert) {
  request(self_, storage_, caf::infinite, append_facts{std::move(facts), {}})
      .then([promise, revert](const result<storage::append_outcome>& outcome) mutable {
        if (outcome) {
          promise.deliver(result<done>(done{}));
          return;
        }
        if (revert)
          revert();
        promise.deliver(result<done>(fail(outcome.error())));
      });
}

void queue_state::with_record(job_id id, done_promise promise, std::function<void(const job_record&)> use) {
  request(self_, history_, caf::infinite, find_jobs{{id}, false})
      .then([id, promise, use](const result<job_records>& found) mutable {
        if (!found)
          promise.deliver(result<done>(fail(found.error())));
        else if (found->empty())
          promise.deliver(result<done>(fail(error_code::not_found, "there is no job " + to_string(id))));
        else
          use(found->front());
      });
}

error queue_state::why_not_queued(job_id id) const {
  const auto name = "job " + to_string(id);
  if (id.value < 1 || id > last_job_)
    return error{error_code::not_found, "there is no " + name, {}, {}};
  return error{error_code::conflict, name + (running_jobs_.contains(id) ? " is running" : " has finished"), {}, {}};
}

void queue_state::classify(queued_job& job, const json& params, const device_selector& on) {
  const auto& type = settings_->job_types.at(job.type);
  const auto traits = scheduling::traits_of(type, params);
  job.group = scheduling::has_traits(type) || !on.is_empty() ? groups_.find_or_add(job.type, traits, on) : job.type;
  estimates_.enter(job, scheduling::features_of_full_part(type, traits, params), knowledge_.at(job.type).durations,
                   wall_clock_now());
  scheduling::set_items(job, traits, type.batch);
  if (!traits.tolerated.empty())
    tolerated_.insert_or_assign(job.id, traits.tolerated);
}

void queue_state::forget_unused_groups() {
  if (!groups_.is_crowded())
    return;
  std::set<scheduling::group_index> running;
  for (const auto& [id, batch] : running_)
    for (const member& one : batch.members)
      running.insert(one.job.group);
  groups_.forget_unused([&](scheduling::group_index group) { return running.contains(group) || jobs_.has_group(group); });
}

// ---- one job ----------------------------------------------------------------------------------------------------------------

// A held job leaves the order before the fact is stored, a released one enters it after.
caf::result<result<done>> queue_state::hold(job_id id, const std::string& reason) {
  auto job = jobs_.find(id);
  if (!job)
    return result<done>(fail(why_not_queued(id)));
  releases_.erase(id);
  const bool was_held = job->held; // perhaps for another reason: this one counts from now on
  job->held = true;
  jobs_.replace(*job);
  publish();
  tell(id);
  void_promises();
  auto promise = self_->make_response_promise<result<done>>();
  store({job_held{id, wall_clock_now(), reason}}, promise, [this, id, was_held] {
    if (!was_held)
      let_go(id, false);
  });
  return promise;
}

// Also a delayed job is let go: a user need not wait for its backoff. What it needs is dropped only where that cannot complete any
// more by itself.
caf::result<result<done>> queue_state::release(job_id id) {
  const auto job = jobs_.find(id);
  if (!job)
    return result<done>(fail(why_not_queued(id)));
  const bool drops_needs = needs_.verdict(id) == scheduling::needs_verdict::failed;
  if (!job->held && !job->delayed && !drops_needs)
    return result<done>(done{});
  auto promise = self_->make_response_promise<result<done>>();
  const auto order = will_release(id);
  request(self_, storage_, caf::infinite, append_facts{{job_released{id, wall_clock_now(), drops_needs}}, {}})
      .then([this, promise, id, drops_needs, order](const result<storage::append_outcome>& outcome) mutable {
        const bool counts = may_release(id, order);
        if (outcome && drops_needs) {
          needs_.forget(id);
          settle_needs({id});
        }
        if (outcome && counts)
          let_go(id, true);
        promise.deliver(outcome ? result<done>(done{}) : result<done>(fail(outcome.error())));
      });
  return promise;
}

std::uint64_t queue_state::will_release(job_id id) {
  releases_.insert_or_assign(id, ++last_release_);
  return last_release_;
}

bool queue_state::may_release(job_id id, std::uint64_t order) {
  const auto latest = releases_.find(id);
  if (latest == releases_.end() || latest->second != order)
    return false;
  releases_.erase(latest);
  return true;
}

void queue_state::let_go(job_id id, bool delayed_too) {
  auto job = jobs_.find(id);
  if (!job)
    return;
  job->held = false;
  job->delayed = job->delayed && !delayed_too;
  job->begin_to_wait(wall_clock_now());
  jobs_.replace(*job);
  publish();
  tell(id);
  void_promises();
  queue_changed();
}

caf::result<result<done>> queue_state::move(const move_job& what) {
  const auto job = jobs_.find(what.id);
  if (!job)
    return result<done>(fail(why_not_queued(what.id)));
  auto changes = jobs_.plan_move(what.id, what.target);
  if (!changes)
    return result<done>(fail(std::move(changes.error())));
  if (changes->empty())
    return result<done>(done{});
  std::vector<fact> facts;
  std::vector<queued_job> before;
  for (const queued_job& changed : *changes) {
    before.push_back(*jobs_.find(changed.id));
    jobs_.replace(changed);
    note_place(changed);
    tell(changed.id);
    facts.emplace_back(job_reordered{changed.id, changed.priority, changed.order_key, wall_clock_now()});
  }
  void_promises();
  queue_changed();
  auto promise = self_->make_response_promise<result<done>>();
  store(std::move(facts), promise, [this, before = std::move(before)] {
    for (const queued_job& unmoved : before) {
      jobs_.replace(unmoved);
      tell(unmoved.id);
    }
  });
  return promise;
}

// ---- edit -------------------------------------------------------------------------------------------------------------------

caf::result<result<done>> queue_state::edit(edit_job& what) {
  const auto job = jobs_.find(what.id);
  if (!job)
    return result<done>(fail(why_not_queued(what.id)));
  if (what.priority)
    if (auto valid = scheduling::check_priority(*what.priority); !valid)
      return result<done>(fail(std::move(valid.error())));
  if (what.name)
    if (auto valid = scheduling::check_label("name", *what.name); !valid)
      return result<done>(fail(std::move(valid.error())));
  auto promise = self_->make_response_promise<result<done>>();
  if (what.params && !editing_.insert(what.id).second)
    edit_later(std::move(what), promise);
  else if (what.params)
    edit_params(std::move(what), *job, promise);
  else
    store_edit(what, {}, promise);
  return promise;
}

// The parameters that it changes some of are on their way to the disk; they are there once a message sent now comes back.
void queue_state::edit_later(edit_job what, done_promise promise) {
  request(self_, storage_, caf::infinite, append_facts{})
      .then([this, what = std::make_shared<edit_job>(std::move(what)), promise](const result<storage::append_outcome>&) mutable {
        request(self_, handle(self_), caf::infinite, std::move(*what)).then([promise](const result<done>& edited) mutable {
          promise.deliver(edited);
        });
      });
}

void queue_state::edit_params(edit_job what, const queued_job& job, done_promise promise) {
  const auto* type = type_of(job.type);
  if (!type) {
    editing_.erase(what.id);
    promise.deliver(
        result<done>(fail(error_code::conflict, "its type '" + type_names_.at(job.type) + "' is no longer configured")));
    return;
  }
  request(self_, history_, caf::infinite, find_jobs{{what.id}, false})
      .then([this, what = std::move(what), type, promise](const result<job_records>& found) mutable {
        if (!found || found->empty()) {
          editing_.erase(what.id);
          promise.deliver(result<done>(fail(found ? why_not_queued(what.id) : found.error())));
          return;
        }
        const auto& before = found->front();
        auto params = scheduling::admit_params(before.params, *what.params, *type, what.base_dir);
        if (params)
          if (auto placeable = scheduling::check_placeable(*type, json::parse(*params), devices_, scheduling::shared(before.on));
              !placeable)
            params = fail(std::move(placeable.error()));
        const auto keeps_items =
            params ? scheduling::check_items_kept(before.params, json::parse(*params), type->batch.items) : result<void>{};
        if (params) {
          store_edit(what, std::move(*params), promise, keeps_items);
        } else {
          editing_.erase(what.id);
          promise.deliver(result<done>(fail(std::move(params.error()))));
        }
      });
}

void queue_state::store_edit(const edit_job& what, std::optional<std::string> params, done_promise promise,
                             const result<void>& keeps_items) {
  const auto job = jobs_.find(what.id);
  if (job && job->items_done > 0 && !keeps_items) { // perhaps since its parameters were read
    editing_.erase(what.id);
    promise.deliver(result<done>(fail(keeps_items.error())));
    return;
  }
  if (!job) { // it was started while its parameters were read
    editing_.erase(what.id);
    promise.deliver(result<done>(fail(why_not_queued(what.id))));
    return;
  }
  const auto now = wall_clock_now();
  const bool params_changed = params.has_value();
  std::vector<fact> facts;
  std::optional<json> regroup;
  if (const auto* type = type_of(job->type); params && type && scheduling::reads_parameters(*type))
    regroup = json::parse(*params);
  if (params || what.name)
    facts.emplace_back(job_edited{what.id, std::move(params), what.name, now});
  auto changed = *job;
  const auto* values = tolerated(what.id);
  auto values_before = values ? *values : std::vector<double>{};
  if (regroup) {
    const auto on = groups_.at(job->group).on;
    classify(changed, *regroup, on ? *on : device_selector{});
  }
  if (what.priority && *what.priority != job->priority) {
    give_priority(changed, *what.priority);
    note_place(changed);
    facts.emplace_back(job_reordered{what.id, *what.priority, changed.order_key, now});
  }
  std::function<void()> revert;
  if (changed != *job) {
    jobs_.replace(changed);
    void_promises();
    queue_changed();
    revert = [this, before = *job, values_before = std::move(values_before), pin = groups_.pin({job->group})] {
      jobs_.replace(before);
      if (!values_before.empty())
        tolerated_.insert_or_assign(before.id, values_before);
    };
  }
  if (facts.empty()) {
    promise.deliver(result<done>(done{}));
    return;
  }
  request(self_, storage_, caf::infinite, append_facts{std::move(facts), {}})
      .then([this, id = what.id, params_changed, promise, revert](const result<storage::append_outcome>& outcome) mutable {
        if (params_changed)
          editing_.erase(id);
        if (!outcome && revert)
          revert();
        tell(id, true);
        promise.deliver(outcome ? result<done>(done{}) : result<done>(fail(outcome.error())));
      });
}

// ---- finished jobs ----------------------------------------------------------------------------------------------------------

caf::result<result<done>> queue_state::retry(const retry_job& what) {
  const job_id id = what.id;
  if (jobs_.find(id) || running_jobs_.contains(id))
    return result<done>(fail(error_code::conflict, "job " + to_string(id) + " has not finished"));
  auto promise = self_->make_response_promise<result<done>>();
  with_record(id, promise, [this, promise, from_scratch = what.from_scratch](const job_record& record) mutable {
    if (is_live(record.id) || !returning_.insert(record.id).second) { // another retry was faster
      promise.deliver(result<done>(fail(error_code::conflict, "job " + to_string(record.id) + " has not finished")));
      return;
    }
    if (record.needs.empty() || !record.batch.is_none())
      requeue_finished(record, from_scratch, promise);
    else
      retry_with_needs(record, from_scratch, promise);
  });
  return promise;
}

void queue_state::requeue_finished(const job_record& record, bool from_scratch, done_promise promise) {
  const auto* type = settings_->find_job_type(record.type);
  const auto group = named_.find_or_add(record.group, [this](auto index) { return jobs_.queued_in(index) > 0; });
  const auto user = find_user(record.user);
  const auto owner = record.unique_key.empty() ? std::nullopt : keys_.find(record.unique_key);
  std::string why_not;
  if (!next_state(record.state, job_event::retry))
    why_not = "it is " + std::string(to_string(record.state));
  else if (!type)
    why_not = "its type '" + record.type + "' is no longer configured";
  else if (owner)
    why_not = "job " + to_string(owner->id) + " has the same unique key and has not ended";
  else if (!group)
    why_not = group.error().what;
  else if (!user)
    why_not = user.error().what;
  if (!why_not.empty()) {
    returning_.erase(record.id);
    needs_.forget(record.id);
    promise.deliver(result<done>(fail(error_code::conflict, "job " + to_string(record.id) + " cannot be retried: " + why_not)));
    return;
  }
  const auto now = wall_clock_now();
  queued_job job{.id = record.id,
                 .type = static_cast<scheduling::type_index>(type - settings_->job_types.data()),
                 .items_done = static_cast<std::uint16_t>(from_scratch ? 0 : record.items_done),
                 .named_group = *group,
                 .user = *user,
                 .priority = static_cast<std::uint8_t>(record.priority),
                 .tier = settings_->queue.fair_share.order_tier(type->tier),
                 .lane = settings_->queue.fair_share.lane(type->tier),
                 .tried = record.attempts > 0};
  job.created = record.created;
  job.begin_to_wait(now);
  job.group = job.type;
  if (scheduling::reads_parameters(*type) || !record.on.is_empty())
    classify(job, record.params, record.on);
  auto places = placing(now);
  give_place(job, places, now);
  named_.arriving(job.named_group);
  users_.arriving(job.user);
  if (!record.unique_key.empty())
    keys_.reserve(record.unique_key, job.id);
  request(self_, storage_, caf::infinite,
          append_facts{{job_retried{record.id, job.order_key, now, from_scratch, job.waits_since}}, {}})
      .then([this, job, promise, was = record.state,
             pin = groups_.pin({job.group})](const result<storage::append_outcome>& outcome) mutable {
        named_.arrived(job.named_group);
        users_.arrived(job.user);
        returning_.erase(job.id);
        if (!outcome) {
          needs_.forget(job.id);
          keys_.free(job.id);
          take_place_back(job);
          promise.deliver(result<done>(fail(outcome.error())));
          return;
        }
        (was == job_state::failed ? failed_ : cancelled_) -= 1;
        jobs_.add(job);
        keys_.stored(job.id);
        settle_needs({job.id});
        needed_returned(job.id);
        publish();
        queue_changed();
        promise.deliver(result<done>(done{}));
      });
}

caf::result<result<std::size_t>> queue_state::clear(clear_jobs what) {
  for (const job_state s : what.which.states)
    if (!is_finished(s))
      return result<std::size_t>(
          fail(error_code::invalid_argument, "only finished jobs can be cleared, not " + std::string(to_string(s)) + " ones"));
  auto promise = self_->make_response_promise<result<std::size_t>>();
  if (what.ids.empty())
    clear_some(std::move(what.which), 0, promise);
  else
    clear_these(std::move(what.ids), promise);
  return promise;
}

void queue_state::clear_these(job_ids ids, promise_of<std::size_t> promise) {
  request(self_, history_, caf::infinite, find_jobs{ids, true})
      .then([this, ids, promise](const result<job_records>& found) mutable {
        if (!found || found->size() < ids.size()) {
          promise.deliver(
              result<std::size_t>(found ? fail(error_code::not_found, "not all of these jobs exist") : fail(found.error())));
          return;
        }
        for (const job_record& record : *found)
          if (is_live(record.id) || !is_finished(record.state)) {
            promise.deliver(result<std::size_t>(
                fail(error_code::conflict, "job " + to_string(record.id) + " has not finished: none of them is cleared")));
            return;
          }
        const auto count = static_cast<std::size_t>(
            std::count_if(found->begin(), found->end(), [](const job_record& record) { return !record.cleared; }));
        request(self_, storage_, caf::infinite, append_facts{{jobs_cleared{ids, wall_clock_now()}}, {}})
            .then([this, count, promise](const result<storage::append_outcome>& outcome) mutable {
              events_->queue_changed();
              promise.deliver(outcome ? result<std::size_t>(count) : result<std::size_t>(fail(outcome.error())));
            });
      });
}

void queue_state::clear_some(storage::clear_filter which, std::size_t cleared, promise_of<std::size_t> promise) {
  constexpr std::size_t chunk = 10'000; // one transaction of tens of milliseconds, so that submits get through in between
  request(self_, history_, caf::infinite, find_clearable{which, chunk})
      .then([this, which, cleared, promise](const result<job_ids>& found) mutable {
        if (!found || found->empty()) {
          events_->queue_changed();
          promise.deliver(found ? result<std::size_t>(cleared) : result<std::size_t>(fail(found.error())));
          return;
        }
        request(self_, storage_, caf::infinite, append_facts{{jobs_cleared{*found, wall_clock_now()}}, {}})
            .then([this, which, last = found->back(), total = cleared + found->size(),
                   promise](const result<storage::append_outcome>& outcome) mutable {
              which.after = last;
              if (outcome)
                clear_some(std::move(which), total, promise);
              else
                promise.deliver(result<std::size_t>(fail(outcome.error())));
            });
      });
}

caf::result<result<done>> queue_state::pause(bool paused) {
  // Stored also when nothing changes: the same request may still be on its way to the disk, and the answer promises that it is
  // there.
  queue_resume_ = 0;
  const bool before = std::exchange(paused_, paused);
  publish();
  void_promises();
  queue_changed();
  auto promise = self_->make_response_promise<result<done>>();
  store({queue_paused{paused, wall_clock_now()}}, promise, [this, before] {
    paused_ = before;
    publish();
  });
  return promise;
}

} // namespace ferry::actors
