// What starts and runs.
#include "actors/queue_state.hpp"
#include "actors/run_tally.hpp"
#include "config/limits.hpp"
#include "scheduling/job_parts.hpp"
#include "scheduling/job_results.hpp"
#include "scheduling/run_watch.hpp"

#include <algorithm>
#include <spdlog/spdlog.h>

namespace ferry::actors {

using namespace std::chrono_literals;

// How long nothing new is started after the disk or the launcher refused a start; and after a supervisor or a worker was found
// gone, which is known to all in a moment.
constexpr duration rest_after_refusal = 1s, rest_after_loss = 100ms;

// ---- candidates out, decisions in -------------------------------------------------------------------------------------------

void queue_state::begin(const begin_work& what) {
  parts_ = what;
  for (const auto& [id, batch] : running_) {
    const auto executor = parts_->executors.find(batch.device);
    const auto* type = type_of(batch.type);
    if (executor == parts_->executors.end())
      continue;
    if (type && batch.at == phase::running)
      watch(id, batch, *type, batch.started);
    send(self_, executor->second, adopt_batch{id, type, batch.jobs(), batch.device});
  }
  for (const auto& [id, batch] : running_) // asked of an earlier daemon, which may not have passed it on
    if (std::any_of(batch.members.begin(), batch.members.end(),
                    [](const member& one) { return one.wish == scheduling::user_wish::suspend; }))
      stop(id, {.cause = scheduling::stop_cause::suspend});
  for (const job_id id : std::exchange(to_cancel_, {})) // likewise
    request(self_, handle(self_), caf::infinite, cancel_job{id}).then([](const result<done>&) {});
  arm_delays();
  push_candidates();
}

void queue_state::watch(batch_id id, const running_batch& batch, const config::job_type& type, instant since) {
  if (scheduling::run_watch::is_needed(type.watch, type.metric_rules))
    send(self_, parts_->watchdog, watch_batch{id, &type, batch.device, since, parts_->executors.at(batch.device)});
}

void queue_state::take_offer(const offer_capacity& what) {
  credit_ = what.slots;
  changed_ = changed_ || what.grew;
  push_candidates();
}

void queue_state::queue_changed() {
  changed_ = true;
  events_->queue_changed();
  arm_delays();
  push_candidates();
  look_ahead();
}

void queue_state::push_candidates() {
  if (!parts_ || credit_ <= 0 || !changed_ || parts_on_their_way_ > 0 || paused_ || !trouble_.empty() || !disk_trouble_.empty())
    return;
  candidates message;
  const auto now = wall_clock_now();
  const auto wanted = [this](const scheduling::queued_job& job) {
    const auto* type = type_of(job.type);
    return type && !held_types_.contains(job.type) ? scheduling::heads_wanted(*type, credit_) : 0;
  };
  std::unordered_map<scheduling::group_index, scheduling::group_outlook> outlooks;
  for (const auto& job : jobs_.heads(wanted, [this](auto group) { return named_.room(group); })) {
    const auto& type = *type_of(job.type);
    auto known = outlooks.find(job.group);
    if (known == outlooks.end())
      known = outlooks.emplace(job.group, outlook(job.group, type, now)).first;
    message.in_order.push_back(scheduling::candidate_of(as_candidate(job, now), type, known->second, tolerated(job.id)));
  }
  if (message.in_order.empty())
    return;
  credit_ = 0;
  changed_ = false;
  send(self_, parts_->optimizer, std::move(message));
}

const std::vector<double>* queue_state::tolerated(job_id id) const {
  const auto found = tolerated_.find(id);
  return found == tolerated_.end() ? nullptr : &found->second;
}

void queue_state::start(start_batch& what) {
  const auto& jobs = what.what.jobs;
  const bool may_start = !paused_ && trouble_.empty() && disk_trouble_.empty() &&
                         std::all_of(jobs.begin(), jobs.end(),
                                     [this](job_id id) {
                                       const auto job = jobs_.find(id);
                                       return job && job->may_start() && !held_types_.contains(job->type);
                                     }) &&
                         groups_have_room(jobs);
  if (!may_start) {
    end_displaced(what.what.place.device, what.what.ends_workers);
    send(self_, parts_->optimizer, slot_freed{what.batch, what.what.starts_worker});
    if (what.what.starts_worker)
      send(self_, parts_->optimizer, worker_gone{worker_id{what.batch.value}});
    return;
  }
  const auto now = wall_clock_now();
  running_batch batch{.device = what.what.place.device,
                      .type = what.what.type,
                      .place = what.what.place,
                      .started = now,
                      .starts_worker = what.what.starts_worker,
                      .marginal = what.what.marginal,
                      .ends_workers = what.what.ends_workers};
  batch_started fact{what.batch, jobs, what.what.place.device, now};
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const job_id id = jobs[i];
    batch.members.push_back({.job = refreshed(*jobs_.remove(id), now)});
    needs_.forget(id);
    auto& job = batch.members.back().job;
    job.items = static_cast<std::uint16_t>(scheduling::items_of_next_run(job, what.what.items.at(i)));
    if (const auto part = scheduling::part_of(job); !part.is_all()) {
      fact.parts.resize(jobs.size());
      fact.parts[i] = part;
    }
    if (!scheduling::reads_parameters(settings_->job_types[batch.type])) // what is known now of the type is known of it
      estimates_.enter(job, {}, knowledge_.at(batch.type).durations, now);
    named_.started(job.named_group);
    users_.started(job.user);
    running_jobs_.emplace(id, what.batch);
  }
  turn_began(batch);
  settle_promises(batch, now);
  running_.emplace(what.batch, std::move(batch));
  publish();
  tell(running_.at(what.batch));
  look_ahead();
  request(self_, storage_, caf::infinite, begin_batch{std::move(fact)}).then([this, id = what.batch](result<job_starts>& starts) {
    if (starts)
      launch(id, std::move(*starts));
    else
      give_back({id, starts.error()}, false);
  });
}

std::optional<scheduling::stop_reason> queue_state::running_batch::early_stop() const {
  const bool cancelled =
      std::any_of(members.begin(), members.end(), [](const member& one) { return one.wish == scheduling::user_wish::cancel; });
  return cancelled ? scheduling::stop_reason{} : stop;
}

std::vector<job_id> queue_state::running_batch::jobs() const {
  std::vector<job_id> ids;
  for (const member& one : members)
    ids.push_back(one.job.id);
  return ids;
}

queue_state::member* queue_state::running_batch::find(job_id id) {
  const auto found = std::find_if(members.begin(), members.end(), [&](const member& one) { return one.job.id == id; });
  return found == members.end() ? nullptr : &*found;
}

// ---- from recorded to running -----------------------------------------------------------------------------------------------

void queue_state::launch(batch_id id, job_starts starts) {
  if (was_stopped_early(id))
    return;
  if (settings_->job_types[running_.at(id).type].parameters.job_result_paths().empty())
    run(id, std::move(starts));
  else
    resolve_and_run(id, std::move(starts));
}

// Cancelled, suspended or preempted before it was launched: it ends as if it had been stopped at once.
bool queue_state::was_stopped_early(batch_id id) {
  const auto reason = running_.at(id).early_stop();
  if (!reason)
    return false;
  never_launched(id);
  finish_unlaunched(id, *reason);
  return true;
}

void queue_state::resolve_and_run(batch_id id, job_starts starts) {
  const auto& paths = settings_->job_types[running_.at(id).type].parameters.job_result_paths();
  std::vector<json> documents;
  job_ids wanted;
  for (const auto& start : starts) {
    documents.push_back(json::parse(start.params));
    for (const job_id reference : scheduling::referenced_jobs(documents.back(), paths))
      wanted.push_back(reference);
  }
  if (wanted.empty()) {
    run(id, std::move(starts));
    return;
  }
  request(self_, history_, caf::infinite, find_jobs{wanted, false})
      .then([this, id, &paths, documents = std::move(documents),
             starts = std::move(starts)](const result<job_records>& found) mutable {
        const auto directory_of = [this](const job_record& record) {
          return run_directory_(record.batch) / "jobs" / to_string(record.id);
        };
        auto inputs = scheduling::resolve_batch(documents, paths, found, directory_of, running_.at(id).early_stop().has_value());
        if (auto* params_of_jobs = std::get_if<std::vector<std::string>>(&inputs)) {
          for (std::size_t i = 0; i < starts.size(); ++i)
            starts[i].params = std::move(params_of_jobs->at(i));
          run(id, std::move(starts));
        } else {
          never_launched(id);
          finish(id, std::get<std::vector<scheduling::job_outcome>>(std::move(inputs)));
        }
      });
}

void queue_state::run(batch_id id, job_starts starts) {
  if (was_stopped_early(id))
    return;
  auto& batch = running_.at(id);
  const auto& type = settings_->job_types[batch.type];
  if (auto divided = take_parts(batch, starts); !divided.empty()) {
    never_launched(id);
    finish(id, std::move(divided));
    return;
  }
  batch.at = phase::starting;
  for (std::size_t i = 0; i < batch.members.size(); ++i) {
    const auto& loads = groups_.at(batch.members[i].job.group).loads;
    batch.members[i].features =
        scheduling::reads_parameters(type)
            ? scheduling::features_of(type.estimate, json::parse(starts.at(i).params), loads, {}, batch.device)
            : scheduling::job_features{.device = batch.device};
  }
  run_batch message{.batch = id,
                    .type = &type,
                    .place = batch.place,
                    .jobs = batch.jobs(),
                    .starts = std::move(starts),
                    .starts_worker = batch.starts_worker,
                    .warm = groups_.at(batch.members.front().job.group).warm,
                    .ends_workers = batch.ends_workers};
  send(self_, parts_->executors.at(batch.device), std::move(message));
}

// Jobs that run in parts get the parameters of theirs. Where that cannot be done: how each job ends instead; else nothing.
std::vector<scheduling::job_outcome> queue_state::take_parts(const running_batch& batch, job_starts& starts) const {
  const auto& path = settings_->job_types[batch.type].batch.items;
  std::vector<scheduling::job_outcome> ends(starts.size(), scheduling::judge_unlaunched({}, false));
  bool all_taken = true;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const auto part = scheduling::part_of(batch.members.at(i).job);
    if (part.is_all())
      continue;
    const auto params = scheduling::params_of_part(json::parse(starts[i].params), path, part);
    if (params) {
      starts[i].params = params->dump();
      starts[i].part = part;
    } else {
      all_taken = false;
      ends[i] = {job_state::failed, failure{.kind = failure_kind::input, .message = to_string(params.error())}, nullptr};
    }
  }
  return all_taken ? std::vector<scheduling::job_outcome>{} : ends;
}

void queue_state::began(const batch_began& what) {
  const auto found = running_.find(what.batch);
  if (found == running_.end() || found->second.at != phase::starting)
    return;
  found->second.at = phase::running;
  found->second.waits_for.clear();
  tell(found->second);
  const auto now = wall_clock_now();
  if (const auto* type = type_of(found->second.type)) // it may have waited before, for memory or in Slurm's queue
    watch(what.batch, found->second, *type, std::min(what.at.value_or(now), now));
}

void queue_state::waits(batch_waits what) {
  const auto found = running_.find(what.batch);
  if (found == running_.end() || found->second.at != phase::starting || found->second.waits_for == what.why)
    return;
  found->second.waits_for = std::move(what.why);
  tell(found->second);
}

void queue_state::progressed(const batch_progressed& what) {
  const auto found = running_.find(what.batch);
  if (found == running_.end())
    return;
  for (member& one : found->second.members)
    if (!one.over && (!what.job || one.job.id == *what.job)) {
      one.how_far = what.how_far;
      one.rate.observe(what.how_far, wall_clock_now());
      events_->job_progressed(one.job.id, scheduling::of_whole_job(what.how_far, one.job));
    }
}

void queue_state::noted(const batch_noted& what) {
  const auto found = running_.find(what.batch);
  if (found == running_.end() || found->second.at == phase::ending)
    return;
  std::vector<fact> facts;
  for (member& one : found->second.members) {
    if (one.over || (what.job && one.job.id != *what.job))
      continue;
    if (what.note.what == note_kind::warned || what.note.what == note_kind::resumed)
      facts.emplace_back(job_noted{one.job.id, what.batch, what.note});
    else
      add_note(one.notes, what.note);
  }
  if (!facts.empty())
    request(self_, storage_, caf::infinite, record_facts{std::move(facts)}).then([](done) {});
}

// ---- what could not start ---------------------------------------------------------------------------------------------------

// The batch never ran: its jobs are queued again and no attempt is counted. `record`: its start is on disk and must be taken back.
void queue_state::give_back(const batch_not_started& what, bool record) {
  const auto id = what.batch;
  const auto found = running_.find(id);
  if (found == running_.end())
    return;
  if (!record)
    never_launched(id);
  send(self_, parts_->watchdog, forget_batch{id});
  if (const auto reason = found->second.early_stop(); reason && record) {
    finish_unlaunched(id, *reason);
    return;
  }
  const running_batch batch = std::move(found->second);
  running_.erase(found);
  const auto now = wall_clock_now();
  batch_requeued requeued{id, {}, to_string(what.why), now, what.crashed};
  std::vector<fact> quarantined;
  std::vector<job_id> to_cancel, to_suspend; // asked for while it was being started
  for (const member& one : batch.members) {
    auto job = one.job;
    if (one.wish == scheduling::user_wish::cancel)
      to_cancel.push_back(job.id);
    if (one.wish == scheduling::user_wish::suspend) {
      job.held = record; // so it is on disk
      if (!record)
        to_suspend.push_back(job.id);
    }
    running_jobs_.erase(job.id);
    runs_no_more(job);
    if (what.crashed && scheduling::count_start_crash(job, settings_->runs.quarantine_after))
      quarantined.emplace_back(job_held{job.id, now, scheduling::quarantine_reason});
    jobs_.add(job);
    requeued.jobs.push_back(job.id);
    tell(job.id);
  }
  publish();
  if (what.is_trouble)
    rest(what.why);
  if (record) {
    std::vector<fact> facts{requeued};
    facts.insert(facts.end(), quarantined.begin(), quarantined.end());
    request(self_, storage_, caf::infinite, record_facts{std::move(facts)}).then([](done) {});
  }
  for (const job_id job : to_cancel)
    request(self_, handle(self_), caf::infinite, cancel_job{job}).then([](const result<done>&) {});
  for (const job_id job : to_suspend)
    request(self_, handle(self_), caf::infinite, suspend_job{job}).then([](const result<done>&) {});
}

// Idle workers that were to make room: the optimizer counts on their end.
void queue_state::end_displaced(const std::string& device, const std::vector<worker_id>& workers) {
  if (const auto executor = parts_->executors.find(device); executor != parts_->executors.end() && !workers.empty())
    send(self_, executor->second, end_workers{workers});
}

// Its lease ends, and the worker that it would have started never was.
void queue_state::never_launched(batch_id id) {
  const auto& batch = running_.at(id);
  const bool starts_worker = batch.starts_worker;
  end_displaced(batch.device, batch.ends_workers);
  send(self_, parts_->optimizer, slot_freed{id, starts_worker});
  if (starts_worker)
    send(self_, parts_->optimizer, worker_gone{worker_id{id.value}});
}

void queue_state::rest(const error& why) {
  if (trouble_.empty())
    send_later(self_, why.code == error_code::unavailable ? rest_after_loss : rest_after_refusal, rest_due{});
  trouble_ = "nothing can be started at the moment: " + why.what;
  changed_ = true;
}

} // namespace ferry::actors
