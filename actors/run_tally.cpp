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
    return noted_event{{}, {note_kind::started, started->at, {{"pid", started->pid}}}};
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
  if (const auto* finished = std::get_if<runners::run_job_done>(&event)) {
    for_job(finished->job, [&](auto& report) { report.result = finished->result; });
  } else if (const auto* failed = std::get_if<runners::run_job_failed>(&event)) {
    for_job(failed->job, [&](auto& report) { report.why_failed = failed->why; });
  } else if (const auto* exited = std::get_if<runners::run_exited>(&event)) {
    ending_ = {.exit_status = exited->exit_status,
               .signal = exited->signal,
               .launch_failure = exited->why,
               .stopped_by = exited->stopped_by,
               .lost = false,
               .at = exited->at};
    if (exited->why) // the process never became the program
      for_job({},
              [](auto& report) { std::erase_if(report.notes, [](const run_note& n) { return n.what == note_kind::started; }); });
    for (std::size_t i = 0; i < std::min(reports_.size(), exited->artifacts.size()); ++i)
      for (const auto& file : exited->artifacts[i])
        reports_[i].artifacts.push_back({{"path", file.path}, {"bytes", file.bytes}});
  }
}

std::vector<scheduling::job_outcome> run_tally::outcomes() const {
  std::vector<scheduling::job_outcome> all;
  for (const auto& report : reports_)
    all.push_back(scheduling::judge(ending_, report));
  return all;
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
