#include "storage/restore.hpp"

#include "scheduling/attempts.hpp"

#include <algorithm>
#include <unordered_map>

namespace ferry::storage {
namespace {

constexpr const char* select_types = "SELECT id, name FROM job_types";
constexpr const char* select_waiting = R"sql(
SELECT id, type, priority, order_key, held, attempts, retries, start_crashes, not_before, created, batch_max,
       needs_rule, job_group, coalesce(waits_since, created), job_user, items_done, items_max
FROM jobs INDEXED BY jobs_waiting
WHERE state = 0 ORDER BY held, priority DESC, order_key, id)sql";
constexpr const char* select_needs = R"sql(
SELECT job_needs.needs, jobs.state, jobs.finished FROM job_needs JOIN jobs ON jobs.id = job_needs.needs
WHERE job_needs.job = ? ORDER BY job_needs.needs)sql";
constexpr const char* select_was_started = "SELECT batch IS NOT NULL FROM jobs WHERE id = ?";
constexpr const char* select_held_types = "SELECT type, reason FROM held_types";
constexpr const char* select_groups = "SELECT id, name, parallel, paused FROM job_groups";
constexpr const char* select_user = "SELECT name FROM job_users WHERE id = ?";
constexpr const char* select_keys =
    "SELECT unique_key, id FROM jobs INDEXED BY jobs_by_key WHERE unique_key IS NOT NULL AND state < 2";
constexpr const char* select_selectors =
    "SELECT id, selector FROM jobs INDEXED BY jobs_with_selector WHERE selector IS NOT NULL AND state < 2";
constexpr const char* select_learned = "SELECT about, value FROM learned";
constexpr const char* select_batches = R"sql(
SELECT batches.id, batches.type, devices.name, batches.started
FROM batches INDEXED BY batches_running JOIN devices ON devices.id = batches.device WHERE batches.state = 0 ORDER BY batches.id)sql";
constexpr const char* select_running = R"sql(
SELECT id, batch, priority, order_key, held, attempts, retries, start_crashes, created, batch_max, job_group,
       coalesce(waits_since, created), job_user, held_for, items_max, items_done, part_items, part_of FROM jobs
WHERE type = ? AND state = 1 AND (cleared IS NULL) = 1 ORDER BY id)sql";
constexpr const char* select_cancelled =
    "SELECT id FROM jobs INDEXED BY jobs_waiting WHERE state = 0 AND held = 1 AND held_for = ?";

// With their states now; `last_end` becomes when the last of them ended.
std::vector<scheduling::needed_job> read_needs(statement_cache& statements, job_id id, instant& last_end) {
  std::vector<scheduling::needed_job> needs;
  auto row = statements.query(select_needs, id);
  while (row.next()) {
    const auto state = static_cast<job_state>(row.integer(1));
    needs.push_back({job_id{row.integer(0)}, is_finished(state) ? state : job_state::queued});
    last_end = std::max(last_end, row.optional_time(2).value_or(last_end));
  }
  return needs;
}

using type_names = std::unordered_map<std::int64_t, std::string>;
using group_names = std::unordered_map<std::int64_t, std::string>;

// The name in this column, or none.
std::string_view name_in(const group_names& groups, const bound_statement& row, int column) {
  const auto found = row.is_null(column) ? groups.end() : groups.find(row.integer(column));
  return found == groups.end() ? std::string_view{} : std::string_view{found->second};
}

group_names restore_groups(statement_cache& statements, std::map<std::string, scheduling::group_settings>& set) {
  group_names names;
  auto row = statements.query(select_groups);
  while (row.next()) {
    const scheduling::group_settings settings{.parallel = static_cast<int>(row.integer(2)), .paused = row.integer(3) != 0};
    if (settings != scheduling::group_settings{})
      set.emplace(row.text(1), settings);
    names.emplace(row.integer(0), row.text(1));
  }
  return names;
}

// Those that are met: more users may have had jobs than have some now.
class user_names {
public:
  explicit user_names(statement_cache& statements) : statements_(statements) {}
  // The name in this column, or none.
  std::string_view name_in(const bound_statement& row, int column) {
    if (row.is_null(column))
      return {};
    const auto [known, is_new] = names_.try_emplace(row.integer(column));
    if (is_new)
      if (auto user = statements_.query(select_user, row.integer(column)); user.next())
        known->second = user.text(0);
    return known->second;
  }

private:
  statement_cache& statements_;
  std::unordered_map<std::int64_t, std::string> names_;
};

std::unordered_map<std::string, job_id> restore_keys(statement_cache& statements) {
  std::unordered_map<std::string, job_id> keys;
  auto row = statements.query(select_keys);
  while (row.next())
    keys.emplace(row.text(0), job_id{row.integer(1)});
  return keys;
}

std::unordered_map<job_id, device_selector> restore_selectors(statement_cache& statements) {
  std::unordered_map<job_id, device_selector> selectors;
  auto row = statements.query(select_selectors);
  while (row.next())
    selectors.emplace(job_id{row.integer(0)}, device_selector_from(json::parse(row.view(1), nullptr, false)));
  return selectors;
}

// Of the jobs that wait; restore_running adds the others.
std::vector<job_id> restore_cancelled(statement_cache& statements) {
  std::vector<job_id> cancelled;
  auto row = statements.query(select_cancelled, scheduling::cancelled_reason);
  while (row.next())
    cancelled.push_back(job_id{row.integer(0)});
  return cancelled;
}

std::vector<running_batch> restore_running(statement_cache& statements, const type_names& types, const group_names& groups,
                                           user_names& users, std::vector<job_id>& cancelled) {
  std::vector<running_batch> running;
  std::unordered_map<std::int64_t, std::size_t> place;
  auto batch = statements.query(select_batches);
  while (batch.next()) {
    place.emplace(batch.integer(0), running.size());
    const auto type = types.find(batch.integer(1));
    running.push_back({batch_id{batch.integer(0)}, batch.text(2), type == types.end() ? "" : type->second, batch.time(3), {}});
  }
  for (const auto& [type, name] : types) {
    auto job = statements.query(select_running, type);
    while (job.next())
      if (const auto found = place.find(job.integer(1)); found != place.end()) {
        running[found->second].jobs.push_back(
            {job_id{job.integer(0)}, static_cast<int>(job.integer(2)), job.integer(3), job.integer(4) != 0,
             static_cast<int>(job.integer(5)), static_cast<int>(job.integer(6)), static_cast<int>(job.integer(7)), job.time(8),
             static_cast<int>(job.integer(9)), std::string(name_in(groups, job, 10)), job.time(11),
             std::string(users.name_in(job, 12)), static_cast<int>(job.integer(14)),
             job_part{static_cast<int>(job.integer(15)), static_cast<int>(job.integer(16)), static_cast<int>(job.integer(17))}});
        if (!job.is_null(13) && job.text(13) == scheduling::cancelled_reason)
          cancelled.push_back(job_id{job.integer(0)});
      }
  }
  return running;
}

} // namespace

restored restore_queue(statement_cache& statements, const queue_totals& totals, const std::function<void(const live_job&)>& visit) {
  type_names types;
  {
    auto type = statements.query(select_types);
    while (type.next())
      types.emplace(type.integer(0), type.text(1));
  }
  std::map<std::string, scheduling::group_settings> group_settings;
  const auto groups = restore_groups(statements, group_settings);
  user_names users(statements);
  auto job = statements.query(select_waiting);
  while (job.next()) {
    const auto type = types.find(job.integer(1));
    const job_id id{job.integer(0)};
    std::optional<needs_rule> rule;
    std::vector<scheduling::needed_job> needs;
    instant needs_ended{};
    bool was_started = false;
    if (!job.is_null(11)) {
      auto started = statements.query(select_was_started, id);
      was_started = started.next() && started.integer(0) != 0;
      rule = static_cast<needs_rule>(job.integer(11));
      needs = read_needs(statements, id, needs_ended);
    }
    visit({.id = id,
           .type = type == types.end() ? std::string_view{} : std::string_view{type->second},
           .priority = static_cast<int>(job.integer(2)),
           .order_key = job.integer(3),
           .held = job.integer(4) != 0,
           .attempts = static_cast<int>(job.integer(5)),
           .retries = static_cast<int>(job.integer(6)),
           .start_crashes = static_cast<int>(job.integer(7)),
           .not_before = job.optional_time(8),
           .created = job.time(9),
           .batch_max = static_cast<int>(job.integer(10)),
           .on_needs_failure = rule,
           .needs = needs,
           .was_started = was_started,
           .group = name_in(groups, job, 12),
           .waits_since = std::max(job.time(13), needs_ended),
           .user = users.name_in(job, 14),
           .items_done = static_cast<int>(job.integer(15)),
           .items_max = static_cast<int>(job.integer(16))});
  }
  std::map<std::string, std::string> held_types;
  {
    auto held = statements.query(select_held_types);
    while (held.next())
      if (const auto type = types.find(held.integer(0)); type != types.end())
        held_types.emplace(type->second, held.text(1));
  }
  std::map<std::string, std::string> learned;
  {
    auto row = statements.query(select_learned);
    while (row.next())
      learned.emplace(row.text(0), row.text(1));
  }
  auto cancelled = restore_cancelled(statements);
  auto running = restore_running(statements, types, groups, users, cancelled);
  return {.last_job = totals.last_job,
          .last_batch = totals.last_batch,
          .last_order_key = totals.last_order_key,
          .paused = totals.paused,
          .running = std::move(running),
          .held_types = std::move(held_types),
          .learned = std::move(learned),
          .groups = std::move(group_settings),
          .unique_keys = restore_keys(statements),
          .selectors = restore_selectors(statements),
          .to_cancel = std::move(cancelled),
          .completed = totals.completed,
          .failed = totals.failed,
          .cancelled = totals.cancelled};
}

} // namespace ferry::storage
