// What users look at.
#include "actors/queue_state.hpp"
#include "config/limits.hpp"
#include "scheduling/job_parts.hpp"

#include <algorithm>

namespace ferry::actors {
const config::job_type* queue_state::type_of(scheduling::type_index index) const {
  return index < settings_->job_types.size() ? &settings_->job_types[index] : nullptr;
}

// What the disk says, corrected by what is live: facts on their way to the disk are known here first.
job_view queue_state::view(job_record record) const {
  job_view shown{.record = std::move(record)};
  job_record& stored = shown.record;
  if (const auto queued = jobs_.find(stored.id)) {
    stored.state = job_state::queued;
    stored.held = queued->held;
    stored.priority = queued->priority;
    if (queued->may_start() && queued->effective() != queued->priority)
      shown.effective_priority = queued->effective();
    stored.not_before = jobs_.delayed_until(stored.id);
    if (const auto culprit = needs_.culprit(stored.id); culprit && !stored.held) {
      stored.held = true;
      stored.held_for = scheduling::describe_culprit(*culprit);
    }
    shown.position = jobs_.position(stored.id);
    if (forecast_ && !nothing_starts())
      shown.expected_start = promises_.expect(*forecast_, stored.id);
    const auto* type = type_of(queued->type);
    const auto type_held = held_types_.find(queued->type);
    const auto on = groups_.at(queued->group).on;
    shown.waiting_for = scheduling::why_waiting(
        *queued, shown.position, type, devices_,
        {.paused = paused_,
         .type_held = type_held == held_types_.end() ? nullptr : &type_held->second,
         .held_for = &stored.held_for,
         .not_before = stored.not_before,
         .needs = why_it_needs(stored.id),
         .group = named_.why_closed(queued->named_group),
         .device_trouble =
             type ? scheduling::trouble_of_all(devices_, device_trouble_, scheduling::demand_of(*type, 1, on)) : std::string(),
         .on = on,
         .trouble = disk_trouble_.empty() ? trouble_ : disk_trouble_});
  } else if (const auto of = running_jobs_.find(stored.id); of != running_jobs_.end()) {
    const running_batch& batch = running_.at(of->second);
    stored.state = job_state::running;
    stored.held = false; // whether it is to be held once it has left is kept there
    stored.held_for.clear();
    stored.batch = of->second;
    stored.device = batch.device;
    stored.started = batch.started;
    stored.finished.reset();
    shown.phase = name_of(batch.at);
    shown.waiting_for = batch.waits_for;
    for (const member& one : batch.members)
      if (one.job.id == stored.id) {
        shown.expected_end = expected_end(batch, one, wall_clock_now());
        shown.how_far = scheduling::of_whole_job(one.how_far, one.job);
        shown.notes = one.notes;
      }
  }
  return shown;
}

caf::result<result<job_view>> queue_state::read_one(job_id id) {
  auto promise = self_->make_response_promise<result<job_view>>();
  request(self_, history_, caf::infinite, find_jobs{{id}, false}).then([this, id, promise](result<job_records>& found) mutable {
    if (!found)
      promise.deliver(result<job_view>(fail(found.error())));
    else if (found->empty())
      promise.deliver(result<job_view>(fail(error_code::not_found, "there is no job " + to_string(id))));
    else
      promise.deliver(result<job_view>(view(std::move(found->front()))));
  });
  return promise;
}

caf::result<result<job_list>> queue_state::read_many(const read_jobs& what) {
  auto promise = self_->make_response_promise<result<job_list>>();
  request(self_, history_, caf::infinite, list_jobs{what.filter}).then([this, promise](result<storage::job_page>& found) mutable {
    if (!found) {
      promise.deliver(result<job_list>(fail(found.error())));
      return;
    }
    job_list list{.jobs = {}, .next_before = found->next_before};
    for (job_record& record : found->jobs)
      list.jobs.push_back(view(std::move(record)));
    promise.deliver(result<job_list>(std::move(list)));
  });
  return promise;
}

queue_counts queue_state::counts() const {
  const auto held = jobs_.kept_back();
  return {.queued = jobs_.size() - held,
          .held = held,
          .running = running_jobs_.size(),
          .completed = completed_,
          .failed = failed_,
          .cancelled = cancelled_};
}

running_books queue_state::running_now() const {
  running_books books;
  for (const auto& [id, batch] : running_) {
    books.known.push_back(id);
    const bool is_here = !is_elsewhere(batch.device); // of others no process is seen
    if (is_here && (batch.at == phase::running || batch.at == phase::stopping))
      books.expected.push_back(id);
  }
  return books;
}

void queue_state::publish() const {
  held_type_reasons held;
  for (const auto& [type, reason] : held_types_)
    held.emplace(type_names_.at(type), reason);
  board_->publish(paused_, counts(), std::move(held));
  events_->queue_changed();
}

// ---- waiting for the end of a job -------------------------------------------------------------------------------------------

caf::result<result<done>> queue_state::await(const await_job& what) {
  if (what.id.value < 1 || what.id > last_job_)
    return result<done>(fail(why_not_queued(what.id)));
  if (!is_live(what.id))
    return result<done>(done{});
  if (waiting_ >= limits::waiters_max)
    return result<done>(
        fail(error_code::unavailable, "too many requests wait for jobs: at most " + std::to_string(limits::waiters_max) + " may"));
  auto promise = self_->make_response_promise<result<done>>();
  waiters_[what.id].push_back({++last_waiter_, promise});
  ++waiting_;
  send_later(self_, what.timeout, wait_due{what.id, last_waiter_});
  return promise;
}

void queue_state::wait_over(const wait_due& what) {
  const auto found = waiters_.find(what.id);
  if (found == waiters_.end())
    return;
  auto& list = found->second;
  const auto w = std::find_if(list.begin(), list.end(), [&](const waiter& one) { return one.id == what.waiter; });
  if (w == list.end())
    return;
  w->promise.deliver(result<done>(done{}));
  list.erase(w);
  --waiting_;
  if (list.empty())
    waiters_.erase(found);
}

} // namespace ferry::actors
