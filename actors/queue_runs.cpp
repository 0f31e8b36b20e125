// What starts, runs and ends.
#include "actors/queue_state.hpp"
#include "scheduling/job_results.hpp"

#include <algorithm>
#include <spdlog/spdlog.h>

namespace ferry::actors {

using namespace std::chrono_literals;

// How long nothing new is started after the disk or the launcher refused a start.
constexpr auto rest_after_refusal = 1s;

// ---- candidates out, decisions in -------------------------------------------------------------------------------------------

void queue_state::begin(const begin_work& what) {
  parts_ = what;
  for (const auto& [id, batch] : running_) {
    const auto executor = parts_->executors.find(batch.device);
    const auto* type = type_of(batch.type);
    if (executor == parts_->executors.end())
      continue;
    if (type && type->max_run_time.count() > 0)
      send(self_, parts_->watchdog, watch_batch{id, batch.started + type->max_run_time, executor->second});
    std::vector<job_id> jobs;
    for (const auto& job : batch.jobs)
      jobs.push_back(job.id);
    send(self_, executor->second, adopt_batch{id, type, std::move(jobs)});
  }
  push_candidates();
}

void queue_state::take_offer(const offer_capacity& what) {
  credit_ = what.slots;
  changed_ = changed_ || what.grew;
  push_candidates();
}

void queue_state::queue_changed() {
  changed_ = true;
  push_candidates();
}

void queue_state::push_candidates() {
  if (!parts_ || credit_ <= 0 || !changed_ || paused_ || !trouble_.empty())
    return;
  candidates message;
  for (const auto& job : jobs_.heads(settings_->job_types.size(), static_cast<std::size_t>(credit_)))
    message.in_order.push_back({job, scheduling::demand_of(settings_->job_types[job.type])});
  if (message.in_order.empty())
    return;
  credit_ = 0;
  changed_ = false;
  send(self_, parts_->optimizer, std::move(message));
}

void queue_state::start(start_batch& what) {
  const auto& jobs = what.what.jobs;
  const bool may_start = !paused_ && trouble_.empty() && std::all_of(jobs.begin(), jobs.end(), [this](job_id id) {
    const auto job = jobs_.find(id);
    return job && !job->held;
  });
  if (!may_start) {
    send(self_, parts_->optimizer, slot_freed{what.batch});
    return;
  }
  const auto now = wall_clock_now();
  running_batch batch{.device = what.what.place.device,
                      .type = what.what.type,
                      .place = what.what.place,
                      .jobs = {},
                      .how_far = std::vector<progress>(jobs.size()),
                      .started = now};
  for (const job_id id : jobs) {
    batch.jobs.push_back(*jobs_.remove(id));
    running_jobs_.emplace(id, what.batch);
  }
  running_.emplace(what.batch, std::move(batch));
  publish();
  request(self_, storage_, caf::infinite, begin_batch{{what.batch, jobs, what.what.place.device, now}})
      .then([this, id = what.batch](result<std::vector<std::string>>& params) {
        if (params)
          launch(id, std::move(*params));
        else
          give_back(id, params.error(), false);
      });
}

// ---- from recorded to running -----------------------------------------------------------------------------------------------

void queue_state::launch(batch_id id, std::vector<std::string> params) {
  auto& batch = running_.at(id);
  if (batch.cancel) {
    send(self_, parts_->optimizer, slot_freed{id});
    finish(id, std::vector(batch.jobs.size(), scheduling::job_outcome{job_state::cancelled, {}, nullptr}));
    return;
  }
  if (settings_->job_types[batch.type].parameters.job_result_paths().empty())
    run(id, std::move(params));
  else
    resolve_and_run(id, std::move(params));
}

void queue_state::resolve_and_run(batch_id id, std::vector<std::string> params) {
  const auto& paths = settings_->job_types[running_.at(id).type].parameters.job_result_paths();
  std::vector<json> documents;
  job_ids wanted;
  for (const auto& text : params) {
    documents.push_back(json::parse(text));
    for (const job_id reference : scheduling::referenced_jobs(documents.back(), paths))
      wanted.push_back(reference);
  }
  if (wanted.empty()) {
    run(id, std::move(params));
    return;
  }
  request(self_, history_, caf::infinite, find_jobs{wanted, false})
      .then([this, id, &paths, documents = std::move(documents)](const result<job_records>& found) {
        const auto directory_of = [this](const job_record& record) {
          return run_directory_(record.batch) / "jobs" / to_string(record.id);
        };
        auto inputs = scheduling::resolve_batch(documents, paths, found, directory_of, running_.at(id).cancel);
        if (auto* params_of_jobs = std::get_if<std::vector<std::string>>(&inputs)) {
          run(id, std::move(*params_of_jobs));
        } else {
          send(self_, parts_->optimizer, slot_freed{id});
          finish(id, std::get<std::vector<scheduling::job_outcome>>(std::move(inputs)));
        }
      });
}

void queue_state::run(batch_id id, std::vector<std::string> params) {
  auto& batch = running_.at(id);
  const auto& type = settings_->job_types[batch.type];
  const auto& executor = parts_->executors.at(batch.device);
  batch.at = phase::starting;
  run_batch message{.batch = id, .type = &type, .place = batch.place, .jobs = {}, .params = std::move(params)};
  for (const auto& job : batch.jobs)
    message.jobs.push_back(job.id);
  send(self_, executor, std::move(message));
  if (type.max_run_time.count() > 0)
    send(self_, parts_->watchdog, watch_batch{id, batch.started + type.max_run_time, executor});
}

void queue_state::began(batch_id id) {
  const auto found = running_.find(id);
  if (found != running_.end() && found->second.at == phase::starting)
    found->second.at = phase::running;
}

void queue_state::progressed(const batch_progressed& what) {
  const auto found = running_.find(what.batch);
  if (found == running_.end())
    return;
  auto& batch = found->second;
  for (std::size_t i = 0; i < batch.jobs.size(); ++i)
    if (!what.job || batch.jobs[i].id == *what.job)
      batch.how_far[i] = what.how_far;
}

// ---- what could not start ---------------------------------------------------------------------------------------------------

// The batch never ran: its jobs are queued again and no attempt is counted. `record`: its start is on disk and must be taken back.
void queue_state::give_back(batch_id id, const error& why, bool record) {
  const auto found = running_.find(id);
  if (found == running_.end())
    return;
  if (!record)
    send(self_, parts_->optimizer, slot_freed{id});
  send(self_, parts_->watchdog, forget_batch{id});
  if (found->second.cancel && record) {
    finish(id, std::vector(found->second.jobs.size(), scheduling::job_outcome{job_state::cancelled, {}, nullptr}));
    return;
  }
  const running_batch batch = std::move(found->second);
  running_.erase(found);
  job_ids jobs;
  for (const auto& job : batch.jobs) {
    running_jobs_.erase(job.id);
    jobs_.add(job);
    jobs.push_back(job.id);
  }
  publish();
  rest(why);
  if (record)
    request(self_, storage_, caf::infinite, record_facts{{batch_requeued{id, jobs, to_string(why), wall_clock_now()}}})
        .then([](done) {});
  if (batch.cancel) // asked for while its start was on its way to the disk
    for (const job_id job : jobs)
      request(self_, handle(self_), caf::infinite, cancel_job{job}).then([](const result<done>&) {});
}

void queue_state::rest(const error& why) {
  if (trouble_.empty())
    send_later(self_, rest_after_refusal, resume_due{});
  trouble_ = "nothing can be started at the moment: " + why.what;
  changed_ = true;
}

// ---- the end ----------------------------------------------------------------------------------------------------------------

void queue_state::over(const batch_over& what) {
  if (running_.contains(what.batch))
    finish(what.batch, what.outcomes);
}

void queue_state::finish(batch_id id, std::vector<scheduling::job_outcome> outcomes) {
  auto& batch = running_.at(id);
  batch.at = phase::ending;
  const auto now = wall_clock_now();
  std::vector<fact> facts;
  for (std::size_t i = 0; i < batch.jobs.size(); ++i)
    facts.emplace_back(job_finished{.id = batch.jobs[i].id,
                                    .batch = id,
                                    .state = outcomes.at(i).state,
                                    .why_failed = outcomes[i].why_failed,
                                    .result = outcomes[i].result.is_null() ? std::string{} : outcomes[i].result.dump(),
                                    .at = now});
  facts.emplace_back(batch_ended{id, now});
  send(self_, parts_->watchdog, forget_batch{id});
  request(self_, storage_, caf::infinite, record_facts{std::move(facts)}).then([this, id, outcomes = std::move(outcomes)](done) {
    stored_end(id, outcomes);
  });
}

void queue_state::stored_end(batch_id id, const std::vector<scheduling::job_outcome>& outcomes) {
  const auto node = running_.extract(id);
  const auto& jobs = node.mapped().jobs;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    running_jobs_.erase(jobs[i].id);
    count(outcomes[i].state);
  }
  publish();
  for (const auto& job : jobs)
    wake_waiters(job.id);
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
