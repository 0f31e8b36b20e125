// What is done to running jobs and to whole types: cancel, suspend and resume, preempt, hold.
#include "actors/queue_state.hpp"
#include "config/text.hpp"

#include <algorithm>
#include <spdlog/spdlog.h>
#include <utility>

namespace ferry::actors {

using scheduling::stop_cause;
using scheduling::user_wish;

// Once the batch is launched its executor ends it; before that, whoever launches it looks at `stop`.
void queue_state::stop(batch_id id, scheduling::stop_reason reason) {
  auto& batch = running_.at(id);
  if (batch.at == phase::recorded) {
    if (!batch.stop)
      batch.stop = std::move(reason);
  } else if (batch.at == phase::starting || batch.at == phase::running || reason.cause == stop_cause::cancel) {
    if (batch.at == phase::ending)
      return;
    std::vector<job_id> some; // whose users want that: the others are to go on, where that can be
    bool all = true;
    if (reason.cause == stop_cause::cancel || reason.cause == stop_cause::suspend) {
      for (const member& one : batch.members)
        if (!one.over && one.wish != user_wish::none)
          some.push_back(one.job.id);
        else if (!one.over)
          all = false;
    }
    if (all) {
      batch.at = phase::stopping;
      tell(batch);
    }
    if (all && reason.cause == stop_cause::suspend)
      some.clear(); // its worker ends as well: the device is to be free
    if (const auto executor = parts_->executors.find(batch.device); executor != parts_->executors.end())
      send(self_, executor->second, stop_batch{id, std::move(reason), std::move(some)});
  }
}

// ---- cancel -----------------------------------------------------------------------------------------------------------------

caf::result<result<done>> queue_state::cancel(const cancel_job& what) {
  const job_id id = what.id;
  if (const auto job = jobs_.remove(id)) {
    leaving_.insert(id);
    named_.arriving(job->named_group); // should the disk refuse it, the job comes back
    users_.arriving(job->user);
    publish();
    void_promises();
    auto promise = self_->make_response_promise<result<done>>();
    const fact cancelled =
        job_finished{.id = id, .batch = {}, .state = job_state::cancelled, .why_failed = {}, .result = {}, .at = wall_clock_now()};
    request(self_, storage_, caf::infinite, append_facts{{cancelled}, {}})
        .then([this, promise, job = *job, pin = groups_.pin({job->group})](const result<storage::append_outcome>& outcome) mutable {
          leaving_.erase(job.id);
          named_.arrived(job.named_group);
          users_.arrived(job.user);
          if (outcome) {
            left_queue(job);
            tolerated_.erase(job.id);
            needs_.forget(job.id);
            keys_.free(job.id);
            count(job_state::cancelled);
            publish();
            tell_end(job.id, job_state::cancelled);
            wake_waiters(job.id);
            needed_ended(job.id, job_state::cancelled);
            promise.deliver(result<done>(done{}));
          } else {
            jobs_.add(job);
            settle_needs({job.id}); // what it needs may have ended meanwhile
            publish();
            queue_changed();
            promise.deliver(result<done>(fail(outcome.error())));
          }
        });
    return promise;
  }
  if (batch_of(id) && what.only_queued)
    return result<done>(
        fail(error_code::conflict, "job " + to_string(id) + " is running: it was to be cancelled only while it waits"));
  if (batch_of(id))
    return cancel_running(id);
  if (leaving_.contains(id)) // it is cancelled already
    return result<done>(done{});
  if (id.value < 1 || id > last_job_)
    return result<done>(fail(why_not_queued(id)));
  auto promise = self_->make_response_promise<result<done>>();
  with_record(id, promise, [id, promise](const job_record& record) mutable {
    if (record.state == job_state::cancelled)
      promise.deliver(result<done>(done{}));
    else
      promise.deliver(result<done>(fail(error_code::conflict, "job " + to_string(id) + " has already finished: it is " +
                                                                  std::string(to_string(record.state)))));
  });
  return promise;
}

caf::result<result<done>> queue_state::cancel_running(job_id id) {
  const batch_id of = running_jobs_.at(id);
  auto& batch = running_.at(of);
  auto* one = batch.find(id);
  const bool is_at_end = batch.is_at_end(*one);
  if (is_at_end && !one->goes_on)
    return result<done>(done{});
  const bool is_new = one->wish != user_wish::cancel;
  one->wish = user_wish::cancel;
  void_promises();
  auto promise = self_->make_response_promise<result<done>>();
  // On disk before it is promised: should daemon and supervisor end before the job has, it is not to be tried again. A full disk
  // does not keep anybody from ending a job.
  if (is_new)
    request(self_, storage_, caf::infinite, append_facts{{job_held{id, wall_clock_now(), scheduling::cancelled_reason}}, {}})
        .then([promise](const result<storage::append_outcome>&) mutable { promise.deliver(result<done>(done{})); });
  else
    promise.deliver(result<done>(done{}));
  if (!is_at_end)
    stop(of, {.cause = stop_cause::cancel});
  return promise;
}

// ---- suspend and resume -----------------------------------------------------------------------------------------------------

caf::result<result<done>> queue_state::suspend(job_id id) {
  if (const auto job = jobs_.find(id)) {
    if (job->held) // for a reason of its own
      return result<done>(done{});
    return hold(id, scheduling::suspended_reason);
  }
  const auto of = running_jobs_.find(id);
  if (of == running_jobs_.end())
    return result<done>(fail(why_not_queued(id)));
  auto& batch = running_.at(of->second);
  auto* one = batch.find(id);
  const bool is_at_end = batch.is_at_end(*one);
  if (is_at_end && !one->goes_on)
    return result<done>(done{});
  const bool is_new = note_suspend(batch, *one);
  void_promises();
  // On disk before it is promised: should this daemon end before the job has left, the next one is to know why it leaves.
  auto promise = self_->make_response_promise<result<done>>();
  if (is_new)
    store({job_held{id, wall_clock_now(), scheduling::suspended_reason}}, promise);
  else
    promise.deliver(result<done>(done{}));
  if (!is_at_end)
    stop(of->second, {.cause = stop_cause::suspend});
  return promise;
}

// False: nothing is new about that, or a cancel goes before it.
bool queue_state::note_suspend(const running_batch& batch, member& one) {
  if (one.wish == user_wish::cancel || one.wish == user_wish::suspend)
    return false;
  one.wish = user_wish::suspend;
  one.suspended_at_end = batch.is_at_end(one);
  return true;
}

caf::result<result<std::size_t>> queue_state::suspend_everything() {
  const auto running = running_jobs_.size();
  const auto now = wall_clock_now();
  std::vector<fact> facts{queue_paused{true, now}};
  for (auto& [id, batch] : running_) {
    for (member& one : batch.members)
      if ((!batch.is_at_end(one) || one.goes_on) && note_suspend(batch, one))
        facts.emplace_back(job_held{one.job.id, now, scheduling::suspended_reason}); // as for one alone
    stop(id, {.cause = stop_cause::suspend});
  }
  if (parts_)
    send(self_, parts_->optimizer, end_all_idle{});
  queue_resume_ = 0;
  const bool before = std::exchange(paused_, true);
  publish();
  void_promises();
  auto promise = self_->make_response_promise<result<std::size_t>>();
  request(self_, storage_, caf::infinite, append_facts{std::move(facts), {}})
      .then([this, promise, running, before](const result<storage::append_outcome>& outcome) mutable {
        if (!outcome) {
          paused_ = before;
          publish();
        }
        promise.deliver(outcome ? result<std::size_t>(running) : result<std::size_t>(fail(outcome.error())));
      });
  return promise;
}

caf::result<result<done>> queue_state::resume(job_id id) {
  if (jobs_.find(id))
    return release(id);
  if (running_jobs_.contains(id))
    return result<done>(fail(error_code::conflict, "job " + to_string(id) + " is running"));
  return retry({id, false});
}

caf::result<result<std::size_t>> queue_state::resume_everything() {
  std::size_t leaving = 0;  // suspended, and not yet gone
  std::vector<fact> undone; // what was stored of that
  const auto order = queue_resume_ = ++last_release_;
  for (auto& [id, batch] : running_)
    for (member& one : batch.members)
      if ((!one.over || one.goes_on) && one.wish == user_wish::suspend) {
        one.wish = user_wish::resume;
        ++leaving;
        if (!batch.is_at_end(one))
          undone.emplace_back(job_released{one.job.id, wall_clock_now()});
      }
  if (!undone.empty()) // now, so that it comes before the end of their attempt
    request(self_, storage_, caf::infinite, record_facts{std::move(undone)}).then([](done) {});
  auto promise = self_->make_response_promise<result<std::size_t>>();
  const auto waiting = jobs_.kept_back();
  job_ids held;
  for (const auto& job : jobs_.page(jobs_.size() - waiting, waiting))
    if (job.held)
      held.push_back(job.id);
  request(self_, history_, caf::infinite, find_jobs{std::move(held), true})
      .then([this, promise, leaving, order](const result<job_records>& found) mutable {
        if (!found) {
          promise.deliver(result<std::size_t>(fail(found.error())));
          return;
        }
        const auto now = wall_clock_now();
        std::vector<std::pair<job_id, std::uint64_t>> released; // with the order that lets it go
        std::vector<fact> facts;
        if (queue_resume_ == order) // else it was paused again meanwhile
          facts.emplace_back(queue_paused{false, now});
        for (const job_record& record : *found)
          if (record.held_for == scheduling::suspended_reason && jobs_.find(record.id)) {
            released.emplace_back(record.id, will_release(record.id));
            facts.emplace_back(job_released{record.id, now});
          }
        request(self_, storage_, caf::infinite, append_facts{std::move(facts), {}})
            .then([this, promise, released, leaving, order](const result<storage::append_outcome>& outcome) mutable {
              job_ids let_go_now;
              for (const auto& [id, number] : released)
                if (may_release(id, number))
                  let_go_now.push_back(id);
              if (!outcome) {
                promise.deliver(result<std::size_t>(fail(outcome.error())));
                return;
              }
              if (queue_resume_ == order)
                paused_ = false;
              for (const job_id id : let_go_now)
                let_go(id, true);
              publish();
              queue_changed();
              promise.deliver(result<std::size_t>(released.size() + leaving));
            });
      });
  return promise;
}

caf::result<result<jobs_submitted>> queue_state::resume_as_new_job(job_id id) {
  if (jobs_.find(id) || running_jobs_.contains(id))
    return result<jobs_submitted>(fail(error_code::conflict, "job " + to_string(id) + " has not finished"));
  auto promise = self_->make_response_promise<result<jobs_submitted>>();
  request(self_, history_, caf::infinite, find_jobs{{id}, false})
      .then([this, id, promise](const result<job_records>& found) mutable {
        if (!found || found->empty()) {
          promise.deliver(result<jobs_submitted>(found ? fail(error_code::not_found, "there is no job " + to_string(id))
                                                       : fail(found.error())));
          return;
        }
        const job_record& old = found->front();
        job_request again{.type = old.type,
                          .params = old.params,
                          .priority = old.priority,
                          .name = old.name,
                          .resumed_from = id,
                          .group = old.group,
                          .user = old.user.empty() ? std::nullopt : std::optional(old.user),
                          .on = old.on};
        request(self_, handle(self_), caf::infinite, submit_jobs{{std::move(again)}, {}})
            .then([promise](const result<jobs_submitted>& made) mutable { promise.deliver(made); });
      });
  return promise;
}

// ---- types ------------------------------------------------------------------------------------------------------------------

std::optional<error> queue_state::unknown_type(const std::string& name) const {
  if (settings_->find_job_type(name))
    return std::nullopt;
  std::vector<std::string> names;
  for (const auto& type : settings_->job_types)
    names.push_back(type.name);
  const auto near = config::nearest(name, names);
  return error{error_code::not_found,
               "there is no job type '" + config::shortened(name) + "'",
               near.empty() ? "see `ferry types`" : "did you mean '" + std::string(near) + "'?",
               {}};
}

caf::result<result<done>> queue_state::hold(const hold_type& what) {
  if (auto unknown = unknown_type(what.type))
    return result<done>(fail(std::move(*unknown)));
  const auto index = static_cast<scheduling::type_index>(settings_->find_job_type(what.type) - settings_->job_types.data());
  const auto reason = what.reason.empty() ? std::string("by a user") : what.reason;
  type_releases_.erase(index);
  std::optional<std::string> before;
  if (const auto held = held_types_.find(index); held != held_types_.end())
    before = held->second;
  held_types_.insert_or_assign(index, reason);
  publish();
  void_promises();
  auto promise = self_->make_response_promise<result<done>>();
  store({type_held{what.type, reason, wall_clock_now()}}, promise, [this, index, before] {
    if (before)
      held_types_.insert_or_assign(index, *before);
    else
      held_types_.erase(index);
    publish();
    queue_changed();
  });
  return promise;
}

caf::result<result<done>> queue_state::release(const release_type& what) {
  if (auto unknown = unknown_type(what.type))
    return result<done>(fail(std::move(*unknown)));
  const auto index = static_cast<scheduling::type_index>(settings_->find_job_type(what.type) - settings_->job_types.data());
  auto promise = self_->make_response_promise<result<done>>();
  const auto order = ++last_release_;
  type_releases_.insert_or_assign(index, order);
  request(self_, storage_, caf::infinite, append_facts{{type_released{what.type, wall_clock_now()}}, {}})
      .then([this, index, promise, order](const result<storage::append_outcome>& outcome) mutable {
        const auto latest = type_releases_.find(index);
        const bool counts = latest != type_releases_.end() && latest->second == order;
        if (counts)
          type_releases_.erase(latest);
        if (outcome && counts) {
          held_types_.erase(index);
          storms_[index].forget();
          publish();
          void_promises();
          queue_changed();
        }
        promise.deliver(outcome ? result<done>(done{}) : result<done>(fail(outcome.error())));
      });
  return promise;
}

void queue_state::hold_storming(scheduling::type_index type, const std::string& reason) {
  const bool is_being_released = type_releases_.erase(type) > 0;
  if (!held_types_.emplace(type, reason).second && !is_being_released)
    return;
  publish();
  spdlog::error("job type {} is held: {}", type_names_.at(type), reason);
  request(self_, storage_, caf::infinite, record_facts{{type_held{type_names_.at(type), reason, wall_clock_now()}}}).then([](done) {
  });
}

// ---- devices ----------------------------------------------------------------------------------------------------------------

void queue_state::give_devices_back(const preempt& what) {
  for (const batch_id id : what.batches)
    if (running_.contains(id)) {
      spdlog::info("batch {} is preempted by job {}", id.value, what.for_job.value);
      stop(id, {.cause = stop_cause::preempt, .why = "for job " + to_string(what.for_job)});
    }
}

void queue_state::device_changed(const device_state& what) {
  if (what.trouble.empty())
    device_trouble_.erase(what.device);
  else
    device_trouble_.insert_or_assign(what.device, what.trouble);
  if (parts_) // else it has not begun, and is told again
    send(self_, parts_->optimizer, what);
  events_->queue_changed();
  if (what.trouble.empty() || !what.ends_runs)
    return;
  spdlog::error("device {} is out of service: {}", what.device, what.trouble);
  for (auto& [id, batch] : running_)
    if (batch.device == what.device)
      stop(id, {.cause = stop_cause::device, .may_retry = true, .why = "its device failed: " + what.trouble});
}

} // namespace ferry::actors
