#include "actors/run_tally.hpp"

#include "config/limits.hpp"

#include <algorithm>

namespace ferry::actors {

void add_note(std::vector<run_note>& notes, run_note note) {
  if (notes.size() >= limits::notes_per_attempt_max) {
    const auto oldest = std::find_if(notes.begin(), notes.end(), [](const run_note& n) { return n.what == note_kind::checkpoint; });
    if (oldest == notes.end())
      return;
    notes.erase(oldest);
  }
  notes.push_back(std::move(note));
}

std::optional<noted_event> note_of(const runners::run_event& event) {
  if (const auto* started = std::get_if<runners::run_started>(&event))
    return noted_event{{},
                       {note_kind::started, started->at,
                        started->warm ? json{{"pid", started->pid}, {"warm", true}} : json{{"pid", started->pid}}}};
  if (const auto* loaded = std::get_if<runners::run_loaded>(&event))
    return noted_event{loaded->job, {note_kind::loaded, loaded->at}};
  if (const auto* saved = std::get_if<runners::run_checkpoint>(&event)) {
    json detail{{"path", saved->path}};
    if (saved->step)
      detail["step"] = *saved->step;
    return noted_event{saved->job, {note_kind::checkpoint, saved->at, std::move(detail)}};
  }
  return std::nullopt;
}

template <class Change>
void run_tally::for_job(job_id id, Change change) {
  for (std::size_t i = 0; i < jobs_.size(); ++i)
    if (id.is_none() || jobs_[i] == id)
      change(reports_[i]);
}

void run_tally::add(const runners::run_event& event) {
  if (const auto noted = note_of(event))
    for_job(noted->job, [&](auto& report) { add_note(report.notes, noted->note); });
  if (const auto* progressed = std::get_if<runners::run_progressed>(&event); progressed && progressed->value.step)
    for_job(progressed->job, [&](auto& report) { report.step = progressed->value.step; });
  if (const auto* saved = std::get_if<runners::run_checkpoint>(&event); saved && saved->step)
    for_job(saved->job, [&](auto& report) { report.step = std::max(report.step.value_or(0), *saved->step); });
  if (const auto* finished = std::get_if<runners::run_job_done>(&event))
    for_job(finished->job, [&](auto& report) {
      report.result = finished->result;
      end_job(report, finished->files, finished->at);
    });
  else if (const auto* failed = std::get_if<runners::run_job_failed>(&event))
    for_job(failed->job, [&](auto& report) {
      report.why_failed = failed->why;
      end_job(report, failed->files, failed->at);
    });
  else if (const auto* cancelled = std::get_if<runners::run_job_cancelled>(&event))
    for_job(cancelled->job, [&](auto& report) {
      report.was_cancelled = true;
      end_job(report, cancelled->files, cancelled->at);
    });
  else if (const auto* exited = std::get_if<runners::run_exited>(&event))
    take_exit(*exited);
}

void run_tally::end_job(scheduling::job_report& report, const std::vector<runners::artifact>& files, instant at) const {
  report.has_ended = ends_count_;
  report.ended = at;
  for (const auto& file : files)
    report.artifacts.push_back({{"path", file.path}, {"bytes", file.bytes}});
}

void run_tally::take_exit(const runners::run_exited& exited) {
  ending_ = {.exit_status = exited.exit_status,
             .signal = exited.signal,
             .launch_failure = exited.why,
             .stopped_by = exited.stopped_by,
             .lost = false,
             .broken = exited.broken,
             .at = exited.at};
  worker_ended_ = exited.worker_ended;
  if (exited.why) // the process never became the program
    for_job({}, [](auto& report) { std::erase_if(report.notes, [](const run_note& n) { return n.what == note_kind::started; }); });
  if (!exited.stopped_jobs.empty())
    for (std::size_t i = 0; i < jobs_.size(); ++i)
      reports_[i].stop_is_its =
          std::find(exited.stopped_jobs.begin(), exited.stopped_jobs.end(), jobs_[i]) != exited.stopped_jobs.end();
  if (exited.artifacts.size() != reports_.size()) // some of its jobs ended before this daemon came
    return;
  for (std::size_t i = 0; i < reports_.size(); ++i)
    for (const auto& file : exited.artifacts[i])
      reports_[i].artifacts.push_back({{"path", file.path}, {"bytes", file.bytes}});
}

std::vector<scheduling::job_outcome> run_tally::outcomes() const {
  auto ending = ending_;
  ending.jobs_left = static_cast<int>(
      std::count_if(reports_.begin(), reports_.end(), [](const scheduling::job_report& report) { return !report.has_ended; }));
  ending.jobs_in_all = static_cast<int>(reports_.size());
  std::vector<scheduling::job_outcome> all;
  for (const auto& report : reports_)
    all.push_back(scheduling::judge(ending, report));
  return all;
}

std::optional<scheduling::job_outcome> run_tally::early_outcome(job_id job) const {
  for (std::size_t i = 0; i < jobs_.size(); ++i)
    if (jobs_[i] == job && reports_[i].has_ended)
      return scheduling::judge({}, reports_[i]);
  return std::nullopt;
}

void run_tally::add_checkpoint(std::size_t job, const std::string& path, instant at) {
  auto& notes = reports_.at(job).notes;
  const bool known = std::any_of(notes.begin(), notes.end(), [&](const run_note& n) {
    return n.what == note_kind::checkpoint && n.detail.value("path", "") == path;
  });
  if (!known)
    add_note(notes, {note_kind::checkpoint, at, {{"path", path}}});
}

} // namespace ferry::actors
