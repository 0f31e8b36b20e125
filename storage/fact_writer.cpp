#include "storage/fact_writer.hpp"

#include "storage/history.hpp"
#include "storage/job_row.hpp"
#include "storage/name_index.hpp"

#include <algorithm>

namespace ferry::storage {
namespace {

constexpr const char* select_type = "SELECT id FROM job_types WHERE name = ?";
constexpr const char* insert_type = "INSERT INTO job_types (name) VALUES (?) RETURNING id";
constexpr const char* select_device = "SELECT id FROM devices WHERE name = ?";
constexpr const char* insert_device = "INSERT INTO devices (name) VALUES (?) RETURNING id";

constexpr const char* select_group = "SELECT id FROM job_groups WHERE name = ?";
constexpr const char* insert_group = "INSERT INTO job_groups (name) VALUES (?) RETURNING id";
constexpr const char* select_user = "SELECT id FROM job_users WHERE name = ?";
constexpr const char* insert_user = "INSERT INTO job_users (name) VALUES (?) RETURNING id";
constexpr const char* update_group = "UPDATE job_groups SET parallel = ?, paused = ? WHERE id = ?";

constexpr const char* select_totals = "SELECT paused, last_order_key, completed, failed, cancelled FROM queue_totals";
constexpr const char* select_last_job = "SELECT coalesce(max(id), 0) FROM jobs";
constexpr const char* select_last_batch = "SELECT coalesce(max(id), 0) FROM batches";
constexpr const char* update_totals =
    "UPDATE queue_totals SET paused = ?, last_order_key = ?, completed = ?, failed = ?, cancelled = ? WHERE only_row = 1";

constexpr const char* select_job =
    "SELECT type, state, priority, held, attempts, batch, cleared, part_items FROM jobs WHERE id = ?";
constexpr const char* select_name = "SELECT name FROM jobs WHERE id = ?";
constexpr const char* insert_job = R"sql(
INSERT INTO jobs (id, type, state, priority, order_key, held, attempts, created, name, resumed_from, not_before, needs_rule,
                  job_group, unique_key, job_user, waits_since, selector)
VALUES (?, ?, 0, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?))sql";
constexpr const char* insert_need = "INSERT INTO job_needs (job, needs) VALUES (?, ?)";
constexpr const char* delete_needs = "DELETE FROM job_needs WHERE job = ?";
constexpr const char* update_needs_dropped = "UPDATE jobs SET needs_rule = NULL WHERE id = ?";
constexpr const char* insert_params = "INSERT INTO job_params (job, params) VALUES (?, ?)";
constexpr const char* update_params = "UPDATE job_params SET params = ? WHERE job = ?";
constexpr const char* update_name = "UPDATE jobs SET name = ? WHERE id = ?";
constexpr const char* update_held = "UPDATE jobs SET held = 1, held_for = ?, start_crashes = 0 WHERE id = ?";
constexpr const char* update_released =
    "UPDATE jobs SET held = 0, held_for = NULL, not_before = NULL, start_crashes = 0, waits_since = ? WHERE id = ?";
constexpr const char* update_order = "UPDATE jobs SET priority = ?, order_key = ? WHERE id = ?";
constexpr const char* update_retried =
    "UPDATE jobs SET state = 0, order_key = ?, held = 0, held_for = NULL, retries = 0, start_crashes = 0, not_before = NULL, "
    "batch_max = 0, items_max = 0, finished = NULL, cleared = NULL, waits_since = ? WHERE id = ?";
constexpr const char* update_cleared = "UPDATE jobs SET cleared = ? WHERE id = ?";
constexpr const char* select_result = "SELECT result FROM job_outcomes WHERE job = ?";
constexpr const char* replace_held_type = "INSERT OR REPLACE INTO held_types (type, reason, since) VALUES (?, ?, ?)";
constexpr const char* replace_learned = "INSERT OR REPLACE INTO learned (about, value, at) VALUES (?, ?, ?)";
constexpr const char* delete_held_type = "DELETE FROM held_types WHERE type = ?";
constexpr const char* delete_parts = "DELETE FROM job_parts WHERE job = ?";
constexpr const char* update_no_parts = "UPDATE jobs SET items_done = 0, part_items = 0, part_of = 0 WHERE id = ?";
constexpr const char* delete_outcome = "DELETE FROM job_outcomes WHERE job = ?";

std::optional<std::string> null_if_empty(const std::string& text) { return text.empty() ? std::nullopt : std::optional{text}; }

} // namespace

queue_totals read_totals(statement_cache& statements) {
  queue_totals totals;
  auto row = statements.query(select_totals);
  if (row.next()) {
    totals.paused = row.integer(0) != 0;
    totals.last_order_key = row.integer(1);
    totals.completed = row.integer(2);
    totals.failed = row.integer(3);
    totals.cancelled = row.integer(4);
  }
  auto job = statements.query(select_last_job);
  totals.last_job = job_id{job.next() ? job.integer(0) : 0};
  auto batch = statements.query(select_last_batch);
  totals.last_batch = batch_id{batch.next() ? batch.integer(0) : 0};
  return totals;
}

fact_writer::fact_writer(statement_cache& statements)
    : statements_(statements),
      events_(statements),
      types_(statements, select_type, insert_type),
      devices_(statements, select_device, insert_device),
      groups_(statements, select_group, insert_group),
      users_(statements, select_user, insert_user),
      totals_(read_totals(statements)),
      stored_totals_(totals_) {}

result<void> fact_writer::write(const fact& f) {
  return std::visit([this](const auto& what) { return write(what); }, f);
}

void fact_writer::write_totals() {
  if (totals_ != stored_totals_)
    statements_.run(update_totals, totals_.paused, totals_.last_order_key, totals_.completed, totals_.failed, totals_.cancelled);
}

void fact_writer::undo_to(const queue_totals& earlier) {
  totals_ = earlier;
  events_.forget();
  types_.forget();
  devices_.forget();
  groups_.forget();
  users_.forget();
}

std::int64_t& fact_writer::finished_in(job_state state) {
  return state == job_state::completed ? totals_.completed : state == job_state::failed ? totals_.failed : totals_.cancelled;
}

result<fact_writer::job_row> fact_writer::find(job_id id, const char* fact_name) {
  auto row = statements_.query(select_job, id);
  if (!row.next())
    return contradiction(fact_name, "there is no job " + to_string(id));
  return job_row{.id = id,
                 .type = row.integer(0),
                 .state = static_cast<job_state>(row.integer(1)),
                 .priority = static_cast<int>(row.integer(2)),
                 .held = row.integer(3) != 0,
                 .attempts = static_cast<int>(row.integer(4)),
                 .batch = batch_id{row.is_null(5) ? 0 : row.integer(5)},
                 .cleared = !row.is_null(6),
                 .part_items = static_cast<int>(row.integer(7))};
}

result<fact_writer::job_row> fact_writer::find_unfinished(job_id id, const char* fact_name) {
  auto job = find(id, fact_name);
  if (job && is_finished(job->state))
    return contradiction(fact_name, describe(id, job->state));
  return job;
}

result<void> fact_writer::write(const job_queued& f) {
  if (f.id.value <= 0)
    return contradiction("job_queued", "the id " + to_string(f.id) + " is not positive");
  const auto type = types_.number_of(f.type);
  statements_.run(insert_job, f.id, type, f.priority, f.order_key, f.held, f.at, null_if_empty(f.name),
                  f.resumed_from.is_none() ? std::nullopt : std::optional{f.resumed_from.value}, f.not_before,
                  f.needs.empty() ? std::nullopt : std::optional{static_cast<int>(f.on_needs_failure)},
                  f.group.empty() ? std::nullopt : std::optional{groups_.number_of(f.group)}, null_if_empty(f.unique_key),
                  f.user.empty() ? std::nullopt : std::optional{users_.number_of(f.user)}, f.waits_since,
                  f.on.is_empty() ? std::nullopt : std::optional{to_json(f.on).dump()});
  statements_.run(insert_params, f.id, f.params);
  for (const job_id needed : f.needs)
    statements_.run(insert_need, f.id, needed);
  // The newest block of names is searched in the rows themselves; it is written when the first job beyond it comes.
  const auto block = block_of(f.id), newest_block = block_of(totals_.last_job);
  if (block > newest_block && !totals_.last_job.is_none())
    write_name_block(statements_, newest_block);
  else if (block < newest_block && !f.name.empty())
    write_name_block(statements_, block);
  totals_.last_job = std::max(totals_.last_job, f.id);
  totals_.last_order_key = std::max(totals_.last_order_key, f.order_key);
  return {};
}

result<void> fact_writer::write(const job_edited& f) {
  const auto job = find(f.id, "job_edited");
  if (!job)
    return fail(job.error());
  if (job->state != job_state::queued)
    return contradiction("job_edited", describe(f.id, job->state));
  json detail{{"changed", json::array()}};
  if (f.params) {
    statements_.run(update_params, *f.params, f.id);
    detail["changed"].push_back("params");
  }
  if (f.name) {
    {
      auto row = statements_.query(select_name, f.id);
      detail["previous_name"] = row.next() && !row.is_null(0) ? row.text(0) : "";
    }
    statements_.run(update_name, null_if_empty(*f.name), f.id);
    if (block_of(f.id) < block_of(totals_.last_job))
      write_name_block(statements_, block_of(f.id));
    detail["changed"].push_back("name");
    detail["name"] = *f.name;
  }
  events_.append(f.id, f.at, event_kind::edited, {}, detail);
  return {};
}

result<void> fact_writer::set_held(job_id id, bool held, const std::string& reason, instant at) {
  const auto job = find_unfinished(id, held ? "job_held" : "job_released");
  if (!job)
    return fail(job.error());
  if (held)
    statements_.run(update_held, null_if_empty(reason), id);
  else
    statements_.run(update_released, at, id);
  json detail{{"previously_held", job->held}};
  if (!reason.empty())
    detail["reason"] = reason;
  events_.append(id, at, held ? event_kind::held : event_kind::released, {}, detail);
  return {};
}

result<void> fact_writer::write(const job_held& f) { return set_held(f.id, true, f.reason, f.at); }

result<void> fact_writer::write(const job_released& f) {
  if (f.needs_dropped) {
    statements_.run(delete_needs, f.id);
    statements_.run(update_needs_dropped, f.id);
  }
  return set_held(f.id, false, {}, f.at);
}

result<void> fact_writer::write(const job_reordered& f) {
  const auto job = find_unfinished(f.id, "job_reordered");
  if (!job)
    return fail(job.error());
  statements_.run(update_order, f.priority, f.order_key, f.id);
  totals_.last_order_key = std::max(totals_.last_order_key, f.order_key);
  events_.append(f.id, f.at, event_kind::reordered, {}, {{"priority", f.priority}, {"previous_priority", job->priority}});
  return {};
}

result<void> fact_writer::write(const job_retried& f) {
  const auto job = find(f.id, "job_retried");
  if (!job)
    return fail(job.error());
  if (!next_state(job->state, job_event::retry))
    return contradiction("job_retried", describe(f.id, job->state));
  json detail{{"previously_held", job->held}};
  if (f.from_scratch)
    detail["from_scratch"] = true;
  {
    // The failure of the attempt stands in its job_finished event; what it left as a result stays here.
    auto row = statements_.query(select_result, f.id);
    if (row.next() && !row.is_null(0))
      detail["previous_result"] = json::parse(row.view(0), nullptr, false);
  }
  statements_.run(delete_outcome, f.id);
  if (f.from_scratch) {
    statements_.run(delete_parts, f.id);
    statements_.run(update_no_parts, f.id);
  }
  statements_.run(update_retried, f.order_key, f.waits_since.value_or(f.at), f.id);
  totals_.last_order_key = std::max(totals_.last_order_key, f.order_key);
  --finished_in(job->state);
  events_.append(f.id, f.at, event_kind::retried, {}, detail);
  return {};
}

result<void> fact_writer::write(const jobs_cleared& f) {
  for (const job_id id : f.jobs) {
    const auto job = find(id, "jobs_cleared");
    if (!job)
      return fail(job.error());
    if (!is_finished(job->state))
      return contradiction("jobs_cleared", describe(id, job->state));
    if (job->cleared) // two requests may have listed it at the same time
      continue;
    statements_.run(update_cleared, f.at, id);
    events_.append(id, f.at, event_kind::cleared, {}, nullptr);
  }
  return {};
}

result<void> fact_writer::write(const queue_paused& f) {
  totals_.paused = f.paused;
  return {};
}

result<void> fact_writer::write(const knowledge_gained& f) {
  statements_.run(replace_learned, f.about, f.value, f.at);
  return {};
}

result<void> fact_writer::write(const group_changed& f) {
  statements_.run(update_group, f.parallel, f.paused, groups_.number_of(f.name));
  return {};
}

result<void> fact_writer::write(const type_held& f) {
  statements_.run(replace_held_type, types_.number_of(f.type), f.reason, f.at);
  return {};
}

result<void> fact_writer::write(const type_released& f) {
  statements_.run(delete_held_type, types_.number_of(f.type));
  return {};
}

} // namespace ferry::storage
