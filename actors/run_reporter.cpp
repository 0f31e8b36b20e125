#include "actors/run_reporter.hpp"

#include "runners/checkpoint_files.hpp"
#include "scheduling/run_watch.hpp"

#include <algorithm>
#include <map>

namespace ferry::actors {

// ---- starting ---------------------------------------------------------------------------------------------------------------

result<runners::run_spec> run_reporter::spec_of(const run_batch& what, const device& on,
                                                const std::optional<runners::worker_choice>& worker) const {
  const auto directory = directory_of(what.batch);
  std::vector<runners::run_job> jobs;
  for (std::size_t i = 0; i < what.jobs.size(); ++i)
    jobs.push_back({what.jobs[i], json::parse(what.starts.at(i).params), directory / "jobs" / to_string(what.jobs[i]),
                    resume_from(what.batch, what.jobs[i], what.starts[i].checkpoints), what.starts[i].part});
  const int share = std::max(1, on.threads * what.place.slots / std::max(1, on.slots));
  const runners::placement where{on, what.type->threads > 0 ? what.type->threads : share, what.place.memory_mib};
  return runners::make_run_spec(*what.type, what.batch, where, std::move(jobs), directory, worker);
}

// The newest checkpoint whose file is still there, and a line in the job's timeline about it; empty: from the beginning.
std::filesystem::path run_reporter::resume_from(batch_id batch, job_id job, const std::vector<checkpoint>& newest_first) const {
  const auto note = [&](note_kind kind, json detail) {
    post(queue_, batch_noted{batch, job, {kind, wall_clock_now(), std::move(detail)}});
  };
  for (const checkpoint& one : newest_first) {
    const auto path = (directory_of(one.batch) / "jobs" / to_string(one.job) / one.path).lexically_normal();
    std::error_code unreadable;
    if (!std::filesystem::exists(path, unreadable))
      continue;
    json detail{{"path", path.string()}};
    if (one.step)
      detail["step"] = *one.step;
    note(note_kind::resumed, std::move(detail));
    return path;
  }
  if (!newest_first.empty())
    note(note_kind::warned, {{"rule", "checkpoints"},
                             {"why", "none of its last " + std::to_string(newest_first.size()) +
                                         " checkpoints is there any more, so it begins at the beginning"},
                             {"action", "warn"}});
  return {};
}

// ---- following --------------------------------------------------------------------------------------------------------------

void run_reporter::tell(batch_id batch, followed_run& of, const std::vector<runners::run_event>& events, bool over) const {
  std::map<job_id, progress> latest; // none: of each job
  for (const auto& event : events) {
    of.tally.add(event);
    if (const auto* started = std::get_if<runners::run_started>(&event))
      post(queue_, batch_began{batch, started->at});
    if (auto noted = note_of(event))
      post(queue_, batch_noted{batch, noted->job.is_none() ? std::nullopt : std::optional{noted->job}, std::move(noted->note)});
    if (const auto* progressed = std::get_if<runners::run_progressed>(&event))
      latest.insert_or_assign(progressed->job, progressed->value);
    if (!over)
      tell_early_end(batch, of, event);
    give_sign(batch, of, event);
  }
  if (!over)
    for (auto& [job, value] : latest)
      post(queue_, batch_progressed{batch, job.is_none() ? std::nullopt : std::optional{job}, std::move(value)});
}

// The others go on; the last end comes with that of the batch.
void run_reporter::tell_early_end(batch_id batch, const followed_run& of, const runners::run_event& event) const {
  job_id job;
  if (const auto* finished = std::get_if<runners::run_job_done>(&event))
    job = finished->job;
  else if (const auto* failed = std::get_if<runners::run_job_failed>(&event))
    job = failed->job;
  else if (const auto* cancelled = std::get_if<runners::run_job_cancelled>(&event))
    job = cancelled->job;
  if (job.is_none() || of.tally.jobs().size() < 2)
    return;
  if (auto outcome = of.tally.early_outcome(job))
    post(queue_, job_over{batch, job, std::move(*outcome)});
}

// That the process exists is no sign of its own.
void run_reporter::give_sign(batch_id batch, const followed_run& of, const runners::run_event& event) const {
  if (!of.type || !scheduling::run_watch::is_needed(of.type->watch, of.type->metric_rules) ||
      std::holds_alternative<runners::run_started>(event))
    return;
  const auto* progressed = std::get_if<runners::run_progressed>(&event);
  const auto at = std::visit([](const auto& e) { return e.at; }, event);
  post(watchdog_, batch_sign{batch, at, progressed ? std::optional{progressed->value} : std::nullopt});
}

// ---- ending -----------------------------------------------------------------------------------------------------------------

void run_reporter::tell_end(batch_id batch, followed_run& of, bool worker_ended) const {
  if (of.type && !of.type->checkpoint_files.empty())
    for (std::size_t i = 0; i < of.tally.jobs().size(); ++i) {
      const auto directory = directory_of(batch) / "jobs" / to_string(of.tally.jobs()[i]);
      if (const auto newest = runners::newest_file(directory, of.type->checkpoint_files))
        of.tally.add_checkpoint(i, newest->path, newest->written);
    }
  post(queue_, batch_over{batch, of.tally.outcomes()});
  post(optimizer_, slot_freed{batch, worker_ended});
}

void run_reporter::tell_stopped_unlaunched(const stop_batch& why, const std::vector<job_id>& jobs, bool would_start_worker) const {
  std::vector<scheduling::job_outcome> outcomes;
  for (const job_id job : jobs) {
    const bool meant = why.jobs.empty() || std::find(why.jobs.begin(), why.jobs.end(), job) != why.jobs.end();
    outcomes.push_back(scheduling::judge_unlaunched(why.reason, meant));
  }
  post(queue_, batch_over{why.batch, std::move(outcomes)});
  free(why.batch, would_start_worker);
}

void run_reporter::tell_all_failed(const run_batch& what, const failure& why) const {
  post(queue_, batch_over{what.batch, std::vector(what.jobs.size(), scheduling::job_outcome{job_state::failed, why, nullptr})});
  free(what.batch, what.starts_worker);
}

void run_reporter::free(batch_id batch, bool would_start_worker) const {
  post(optimizer_, slot_freed{batch, would_start_worker});
  if (would_start_worker)
    post(optimizer_, worker_gone{worker_id{batch.value}});
}

} // namespace ferry::actors
