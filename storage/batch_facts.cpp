// The part of fact_writer that is about batches: started, requeued, finished, ended.
#include "storage/history.hpp"
#include "storage/job_row.hpp"

#include <algorithm>

namespace ferry::storage {
namespace {

enum class batch_state { running = 0, ended = 1, requeued = 2 }; // stored; append only

constexpr const char* insert_batch = "INSERT INTO batches (id, type, device, state, started) VALUES (?, ?, ?, 0, ?)";
constexpr const char* select_batch = "SELECT state, type FROM batches WHERE id = ?";
constexpr const char* update_batch = "UPDATE batches SET state = ?, ended = ? WHERE id = ?";
constexpr const char* update_started =
    "UPDATE jobs SET state = 1, attempts = attempts + 1, batch = ?, started = ?, not_before = NULL, part_items = ?, part_of = ? "
    "WHERE id = ? AND state = 0 AND type = ?";
constexpr const char* update_requeued = "UPDATE jobs SET state = 0, attempts = attempts - 1, batch = ?, started = ?, start_crashes "
                                        "= min(start_crashes + ?, 3) WHERE id = ?";
constexpr const char* update_again =
    "UPDATE jobs SET state = 0, held = ?, held_for = ?, not_before = ?, retries = ?, start_crashes = 0, batch_max = ?, "
    "attempts = attempts - ?, waits_since = ?, items_max = ? WHERE id = ?";
constexpr const char* insert_part = "INSERT INTO job_parts (job, first_item, items, batch, result) SELECT id, items_done, "
                                    "part_items, batch, ? FROM jobs WHERE id = ?";
constexpr const char* update_part_done = "UPDATE jobs SET items_done = items_done + part_items WHERE id = ?";
constexpr const char* update_finished = "UPDATE jobs SET state = ?, finished = ?, held = 0, held_for = NULL WHERE id = ?";
constexpr const char* update_running_finished =
    "UPDATE jobs SET state = ?, finished = ?, held = 0, held_for = NULL WHERE id = ? AND state = 1 AND batch = ?";
constexpr const char* replace_outcome = "INSERT OR REPLACE INTO job_outcomes (job, failure, result) VALUES (?, ?, ?)";
constexpr const char* select_running_in_batch =
    "SELECT id FROM jobs WHERE type = ? AND state = 1 AND (cleared IS NULL) = 1 AND batch = ? LIMIT 1";

struct batch_row {
  batch_state state;
  std::int64_t type;
};

result<batch_row> find_batch(statement_cache& statements, batch_id id, const char* fact_name) {
  auto row = statements.query(select_batch, id);
  if (!row.next())
    return contradiction(fact_name, "there is no batch " + to_string(id));
  return batch_row{static_cast<batch_state>(row.integer(0)), row.integer(1)};
}

std::optional<job_event> event_for(job_state state) {
  switch (state) {
  case job_state::completed: return job_event::complete;
  case job_state::failed: return job_event::fail;
  case job_state::cancelled: return job_event::cancel;
  default: return std::nullopt;
  }
}

} // namespace

result<void> fact_writer::write(const batch_started& f) {
  if (f.id <= totals_.last_batch)
    return contradiction("batch_started",
                         "batch id " + to_string(f.id) + " is not above the last one, " + to_string(totals_.last_batch));
  if (f.jobs.empty())
    return contradiction("batch_started", "batch " + to_string(f.id) + " has no jobs");
  const auto first = find(f.jobs.front(), "batch_started");
  if (!first)
    return fail(first.error());
  statements_.run(insert_batch, f.id, first->type, devices_.number_of(f.device), f.at);
  for (std::size_t i = 0; i < f.jobs.size(); ++i) {
    const auto part = i < f.parts.size() ? f.parts[i] : job_part{};
    if (!statements_.changes(update_started, f.id, f.at, part.count, part.of, f.jobs[i], first->type))
      return why_not_started(f, f.jobs[i], first->type);
    events_.append(f.jobs[i], f.at, event_kind::batch_started, f.id, part.is_all() ? json() : to_json(part));
  }
  totals_.last_batch = f.id;
  return {};
}

result<void> fact_writer::why_not_started(const batch_started& f, job_id id, std::int64_t type) {
  const auto job = find(id, "batch_started");
  if (!job)
    return fail(job.error());
  if (job->type != type)
    return contradiction("batch_started", "batch " + to_string(f.id) + " mixes job types");
  return contradiction("batch_started", describe(id, job->state));
}

result<void> fact_writer::requeue(const batch_requeued& f, job_id id) {
  const auto job = find(id, "batch_requeued");
  if (!job)
    return fail(job.error());
  if (!next_state(job->state, job_event::requeue))
    return contradiction("batch_requeued", describe(id, job->state));
  if (job->batch != f.id)
    return contradiction("batch_requeued",
                         "job " + to_string(id) + " runs in batch " + to_string(job->batch) + ", not in " + to_string(f.id));
  const auto previous = previous_attempt(statements_, id);
  statements_.run(update_requeued, previous ? previous->batch : batch_id{},
                  previous ? std::optional{previous->started} : std::nullopt, f.crashed ? 1 : 0, id);
  events_.append(id, f.at, event_kind::batch_requeued, f.id, {{"reason", f.reason}});
  return {};
}

result<void> fact_writer::write(const batch_requeued& f) {
  const auto batch = find_batch(statements_, f.id, "batch_requeued");
  if (!batch)
    return fail(batch.error());
  if (batch->state != batch_state::running)
    return contradiction("batch_requeued", "batch " + to_string(f.id) + " has ended");
  for (const job_id id : f.jobs)
    if (auto done = requeue(f, id); !done)
      return done;
  if (!has_running_jobs(f.id, batch->type))
    statements_.run(update_batch, static_cast<int>(batch_state::requeued), f.at, f.id);
  return {};
}

result<fact_writer::job_row> fact_writer::find_running(job_id id, batch_id batch, const char* fact_name) {
  auto job = find(id, fact_name);
  if (!job)
    return job;
  if (job->state != job_state::running)
    return contradiction(fact_name, describe(id, job->state));
  if (job->batch != batch)
    return contradiction(fact_name,
                         "job " + to_string(id) + " runs in batch " + to_string(job->batch) + ", not in " + to_string(batch));
  return job;
}

void fact_writer::write_notes(job_id job, batch_id batch, const std::vector<run_note>& notes) {
  for (const run_note& note : notes)
    events_.append(job, note.at, kind_of(note.what), batch, note.detail);
}

result<void> fact_writer::write(const job_noted& f) {
  if (const auto job = find_running(f.id, f.batch, "job_noted"); !job)
    return fail(job.error());
  write_notes(f.id, f.batch, {f.note});
  return {};
}

result<void> fact_writer::write(const attempt_ended& f) {
  const auto job = find_running(f.id, f.batch, "attempt_ended");
  if (!job)
    return fail(job.error());
  if (f.how == attempt_end::part_done && job->part_items == 0)
    return contradiction("attempt_ended", "job " + to_string(f.id) + " does not run in parts");
  json detail{{"how", to_string(f.how)}};
  if (f.why_failed)
    detail["failure"] = to_json(*f.why_failed);
  if (f.not_before)
    detail["not_before"] = to_unix_ms(*f.not_before);
  if (f.step)
    detail["step"] = *f.step;
  if (f.how == attempt_end::retried)
    detail["retry"] = f.retries;
  if (f.how == attempt_end::regrouped && f.batch_max > 0)
    detail["batch_max"] = f.batch_max;
  if (f.items_max > 0)
    detail["items_max"] = f.items_max;
  if (f.how == attempt_end::part_done) {
    statements_.run(insert_part, f.result.empty() ? std::nullopt : std::optional{f.result}, f.id);
    statements_.run(update_part_done, f.id);
  }
  statements_.run(update_again, f.held, f.held_for.empty() ? std::nullopt : std::optional{f.held_for}, f.not_before, f.retries,
                  f.batch_max, counts(f.how) ? 0 : 1, f.at, f.items_max, f.id);
  write_notes(f.id, f.batch, f.notes);
  events_.append(f.id, f.at, event_kind::attempt_ended, f.batch, detail);
  return {};
}

// What no job of that batch that runs can do is left to the slow way, which says why.
bool fact_writer::finish_running(const job_finished& f) {
  const auto event = event_for(f.state);
  return event && !f.batch.is_none() && next_state(job_state::running, *event) == f.state &&
         statements_.changes(update_running_finished, static_cast<int>(f.state), f.at, f.id, f.batch);
}

result<void> fact_writer::finish_queued(const job_finished& f) {
  const auto job = find(f.id, "job_finished");
  if (!job)
    return fail(job.error());
  const auto event = event_for(f.state);
  if (!event)
    return contradiction("job_finished", std::string(to_string(f.state)) + " is not a state to finish in");
  if (next_state(job->state, *event) != f.state)
    return contradiction("job_finished", describe(f.id, job->state) + " and cannot become " + std::string(to_string(f.state)));
  const auto runs_in = job->state == job_state::running ? job->batch : batch_id{};
  if (f.batch != runs_in)
    return contradiction("job_finished",
                         describe(f.id, job->state) + " in batch " + to_string(runs_in) + ", not in " + to_string(f.batch));
  statements_.run(update_finished, static_cast<int>(f.state), f.at, f.id);
  return {};
}

result<void> fact_writer::write(const job_finished& f) {
  if (!finish_running(f))
    if (auto done = finish_queued(f); !done)
      return done;
  json detail{{"state", to_string(f.state)}};
  std::optional<std::string> why, left;
  if (f.why_failed) {
    detail["failure"] = to_json(*f.why_failed);
    why = to_text(detail["failure"]);
  }
  if (!f.result.empty())
    left = f.result;
  if (why || left)
    statements_.run(replace_outcome, f.id, why, left);
  ++finished_in(f.state);
  write_notes(f.id, f.batch, f.notes);
  events_.append(f.id, f.at, event_kind::finished, f.batch, detail);
  return {};
}

bool fact_writer::has_running_jobs(batch_id batch, std::int64_t type) {
  auto row = statements_.query(select_running_in_batch, type, batch);
  return row.next();
}

result<void> fact_writer::write(const batch_ended& f) {
  const auto batch = find_batch(statements_, f.id, "batch_ended");
  if (!batch)
    return fail(batch.error());
  if (batch->state == batch_state::requeued) // it ended when its last job went back to the queue
    return {};
  if (batch->state == batch_state::ended)
    return contradiction("batch_ended", "batch " + to_string(f.id) + " has ended before");
  if (has_running_jobs(f.id, batch->type))
    return contradiction("batch_ended", "jobs of batch " + to_string(f.id) + " are still running");
  statements_.run(update_batch, static_cast<int>(batch_state::ended), f.at, f.id);
  return {};
}

} // namespace ferry::storage
