#include "storage/job_reader.hpp"

#include "storage/connection.hpp"
#include "storage/count_jobs.hpp"
#include "storage/data_directory.hpp"
#include "storage/history.hpp"
#include "storage/job_ranges.hpp"
#include "storage/name_index.hpp"
#include "storage/statements.hpp"

#include <algorithm>
#include <limits>
#include <sqlite3.h>

namespace ferry::storage {
namespace {

constexpr const char* begin_sql = "BEGIN";
constexpr const char* commit_sql = "COMMIT";

constexpr const char* select_brief = R"sql(
SELECT jobs.id, job_types.name, jobs.state, jobs.priority, jobs.order_key, jobs.held, jobs.name, jobs.attempts, jobs.created,
       jobs.started, jobs.finished, jobs.cleared, jobs.batch, devices.name, job_outcomes.failure, jobs.retries, jobs.not_before,
       jobs.held_for, jobs.resumed_from, jobs.needs_rule, job_groups.name, jobs.unique_key, job_users.name, jobs.items_done,
       jobs.part_items, jobs.part_of, jobs.selector
FROM jobs
JOIN job_types ON job_types.id = jobs.type
LEFT JOIN batches ON batches.id = jobs.batch
LEFT JOIN devices ON devices.id = batches.device
LEFT JOIN job_outcomes ON job_outcomes.job = jobs.id
LEFT JOIN job_groups ON job_groups.id = jobs.job_group
LEFT JOIN job_users ON job_users.id = jobs.job_user
WHERE jobs.id = ?)sql";
constexpr const char* select_documents = R"sql(
SELECT job_params.params, job_outcomes.result
FROM job_params LEFT JOIN job_outcomes ON job_outcomes.job = job_params.job WHERE job_params.job = ?)sql";
constexpr const char* select_parts = "SELECT first_item, items, batch, result FROM job_parts WHERE job = ? ORDER BY first_item";
constexpr const char* select_needs = "SELECT needs FROM job_needs WHERE job = ? ORDER BY needs";
constexpr const char* select_types = "SELECT id, name FROM job_types";
constexpr const char* select_newest = "SELECT coalesce(max(id), 0) FROM jobs";
constexpr const char* select_running_batches = "SELECT id FROM batches INDEXED BY batches_running WHERE state = 0 ORDER BY id";
constexpr const char* select_finished = "SELECT finished FROM jobs WHERE id = ?";
constexpr const char* select_all = "SELECT id FROM jobs WHERE id <= ? ORDER BY id DESC LIMIT ?";

// All reads inside see one state of the store. Ends with the scope, so that no snapshot holds the WAL back.
class snapshot {
public:
  explicit snapshot(statement_cache& statements) : statements_(statements) { statements_.run(begin_sql); }
  snapshot(const snapshot&) = delete;
  snapshot& operator=(const snapshot&) = delete;
  ~snapshot() {
    try {
      statements_.run(commit_sql);
    } catch (const SQLite::Exception&) { sqlite3_exec(statements_.database().getHandle(), "ROLLBACK", nullptr, nullptr, nullptr); }
  }

private:
  statement_cache& statements_;
};

json parse_stored(std::string_view text, job_id id, const char* what) {
  json value = json::parse(text, nullptr, false);
  if (value.is_discarded())
    throw SQLite::Exception("the " + std::string(what) + " of job " + to_string(id) + " is not JSON", SQLITE_CORRUPT);
  return value;
}

// What the parts left that are done; `last`: what the job did, with its last one. Where that is too much for one answer, the later
// ones say so instead.
json result_of_parts(statement_cache& statements, const job_record& job, json last) {
  constexpr std::size_t bytes_max = 16 * limits::result_bytes_max;
  json parts = json::array();
  std::size_t bytes = 0;
  auto row = statements.query(select_parts, job.id);
  while (row.next()) {
    parts.push_back({{"batch", row.integer(2)}, {"first_item", row.integer(0)}, {"items", row.integer(1)}, {"result", nullptr}});
    if (row.is_null(3))
      continue;
    bytes += row.view(3).size();
    if (bytes <= bytes_max)
      parts.back()["result"] = parse_stored(row.view(3), job.id, "result of a part");
    else
      parts.back()["left_out"] = "the results of all parts take more than " + std::to_string(bytes_max) + " bytes";
  }
  json of_last{{"batch", job.batch.value}, {"first_item", job.part.first}, {"items", job.part.count}, {"result", std::move(last)}};
  if (job.state == job_state::completed)
    parts.push_back(std::move(of_last));
  else if (!of_last["result"].is_null()) // it failed or was cancelled in the middle of that
    return {{"parts", std::move(parts)}, {"not_done", std::move(of_last)}};
  return {{"parts", std::move(parts)}};
}

std::optional<job_record> read_job(statement_cache& statements, job_id id, bool brief) {
  auto row = statements.query(select_brief, id);
  if (!row.next())
    return std::nullopt;
  job_record job;
  job.id = job_id{row.integer(0)};
  job.type = row.text(1);
  job.state = static_cast<job_state>(row.integer(2));
  job.priority = static_cast<int>(row.integer(3));
  job.order_key = row.integer(4);
  job.held = row.integer(5) != 0;
  job.name = row.text(6);
  job.attempts = static_cast<int>(row.integer(7));
  job.created = row.time(8);
  job.started = row.optional_time(9);
  job.finished = row.optional_time(10);
  job.cleared = row.optional_time(11);
  job.batch = batch_id{row.is_null(12) ? 0 : row.integer(12)};
  job.device = row.text(13);
  if (!row.is_null(14))
    job.why_failed = failure_from(parse_stored(row.view(14), id, "failure"));
  job.retries = static_cast<int>(row.integer(15));
  job.not_before = row.optional_time(16);
  job.held_for = row.is_null(17) ? "" : row.text(17);
  job.resumed_from = job_id{row.is_null(18) ? 0 : row.integer(18)};
  job.group = row.is_null(20) ? "" : row.text(20);
  job.unique_key = row.is_null(21) ? "" : row.text(21);
  job.user = row.is_null(22) ? "" : row.text(22);
  job.items_done = static_cast<int>(row.integer(23));
  job.part = {job.items_done, static_cast<int>(row.integer(24)), static_cast<int>(row.integer(25))};
  if (!row.is_null(26))
    job.on = device_selector_from(parse_stored(row.view(26), id, "selector"));
  if (!row.is_null(19)) {
    job.on_needs_failure = static_cast<needs_rule>(row.integer(19));
    auto needed = statements.query(select_needs, id);
    while (needed.next())
      job.needs.push_back(job_id{needed.integer(0)});
  }
  if (brief)
    return job;
  auto documents = statements.query(select_documents, id);
  if (!documents.next())
    throw SQLite::Exception("the parameters of job " + to_string(id) + " are missing", SQLITE_CORRUPT);
  job.params = parse_stored(documents.view(0), id, "parameters");
  if (!documents.is_null(1))
    job.result = parse_stored(documents.view(1), id, "result");
  if (job.items_done > 0)
    job.result = result_of_parts(statements, job, std::move(job.result));
  return job;
}

std::vector<job_id> newest_jobs(statement_cache& statements, job_id bound, std::size_t limit) {
  std::vector<job_id> ids;
  auto row = statements.query(select_all, bound.value, limit);
  while (row.next())
    ids.push_back(job_id{row.integer(0)});
  return ids;
}

std::vector<std::int64_t> types_named(statement_cache& statements, const std::string& name) {
  std::vector<std::int64_t> types;
  auto row = statements.query(select_types);
  while (row.next())
    if (name.empty() || row.view(1) == name)
      types.push_back(row.integer(0));
  return types;
}

std::vector<job_range> ranges_for(const std::vector<std::int64_t>& types, const std::vector<job_state>& states, bool with_cleared) {
  std::vector<job_range> ranges;
  for (const auto type : types)
    for (const job_state state : all_job_states) {
      if (!states.empty() && std::find(states.begin(), states.end(), state) == states.end())
        continue;
      ranges.push_back({type, state, false});
      if (with_cleared && is_finished(state))
        ranges.push_back({type, state, true});
    }
  return ranges;
}

bool ended_before(statement_cache& statements, job_id id, instant when) {
  auto row = statements.query(select_finished, id);
  return row.next() && row.optional_time(0).value_or(when) < when;
}

struct id_page {
  std::vector<job_id> ids;
  std::optional<job_id> next_before = {};
};

id_page ended(std::vector<job_id> ids, std::size_t limit) {
  const auto next = !ids.empty() && ids.size() == limit ? std::optional{ids.back()} : std::nullopt;
  return {std::move(ids), next};
}

// The ids of a page. Where both a range and a name are asked for, each leaps over what the other does not have.
id_page find_page(statement_cache& statements, const job_filter& filter) {
  auto bound = job_id{filter.before.is_none() ? std::numeric_limits<std::int64_t>::max() : filter.before.value - 1};
  const bool in_all_ranges = filter.states.empty() && filter.type.empty() && filter.with_cleared;
  if (in_all_ranges && filter.name_contains.empty())
    return ended(newest_jobs(statements, bound, filter.limit), filter.limit);

  const auto types = types_named(statements, filter.type);
  if (types.empty())
    return {};
  merged_walk ranges(statements, ranges_for(types, filter.states, filter.with_cleared), walk::newest_first);
  std::optional<name_search> names;
  if (!filter.name_contains.empty()) {
    auto newest = statements.query(select_newest);
    names.emplace(statements, filter.name_contains, filter.type.empty() ? std::vector<std::int64_t>{} : types,
                  job_id{newest.next() ? newest.integer(0) : 0});
  }
  std::vector<job_id> page;
  for (std::size_t steps = 0; page.size() < filter.limit; ++steps) {
    if (steps % 16 == 15 && steps + ranges.rows_read() > filter.rows_searched_max)
      return {std::move(page), job_id{bound.value + 1}};
    const auto named = names ? names->at_most(bound) : std::optional{bound};
    if (!named)
      break;
    const auto found = in_all_ranges ? named : ranges.seek(*named);
    if (!found)
      break;
    if (!names || *found == *named) {
      page.push_back(*found);
      bound = job_id{found->value - 1};
    } else {
      bound = *found;
    }
  }
  return ended(std::move(page), filter.limit);
}

} // namespace

struct job_reader::implementation {
  std::filesystem::path file;
  std::unique_ptr<SQLite::Database> database;
  statement_cache statements{*database};

  template <class Work>
  auto read(const char* doing, Work&& work) -> decltype(work()) {
    return guarded(database->getHandle(), file, doing, [&]() -> decltype(work()) {
      const snapshot all_reads(statements);
      return work();
    });
  }
};

job_reader::job_reader(std::unique_ptr<implementation> impl) : impl_(std::move(impl)) {}

job_reader::~job_reader() = default;

result<std::unique_ptr<job_reader>> job_reader::open(const std::filesystem::path& data_dir) {
  const auto file = database_file(data_dir);
  auto database = open_reader(file);
  if (!database)
    return fail(database.error());
  return std::unique_ptr<job_reader>{
      new job_reader(std::unique_ptr<implementation>{new implementation{file, std::move(*database)}})};
}

result<job_record> job_reader::find(job_id id) {
  return impl_->read("read a job", [&]() -> result<job_record> {
    auto job = read_job(impl_->statements, id, false);
    if (!job)
      return fail(error_code::not_found, "there is no job " + to_string(id));
    return std::move(*job);
  });
}

result<std::vector<job_record>> job_reader::find_all(const std::vector<job_id>& ids, bool brief) {
  return impl_->read("read jobs", [&]() -> result<std::vector<job_record>> {
    std::vector<job_record> jobs;
    jobs.reserve(ids.size());
    for (const job_id id : ids)
      if (auto job = read_job(impl_->statements, id, brief))
        jobs.push_back(std::move(*job));
    return jobs;
  });
}

result<job_page> job_reader::page(const job_filter& filter) {
  return impl_->read("list jobs", [&]() -> result<job_page> {
    job_page page;
    const auto found = find_page(impl_->statements, filter);
    for (const job_id id : found.ids)
      if (auto job = read_job(impl_->statements, id, true))
        page.jobs.push_back(std::move(*job));
    page.next_before = found.next_before;
    return page;
  });
}

result<std::vector<history_entry>> job_reader::history(job_id id) {
  return impl_->read("read a job's history", [&]() -> result<std::vector<history_entry>> {
    auto story = read_history(impl_->statements, id);
    if (story.empty())
      return fail(error_code::not_found, "there is no job " + to_string(id));
    return story;
  });
}

result<std::vector<batch_id>> job_reader::running_batches() {
  return impl_->read("list what runs", [&]() -> result<std::vector<batch_id>> {
    std::vector<batch_id> running;
    auto row = impl_->statements.query(select_running_batches);
    while (row.next())
      running.push_back(batch_id{row.integer(0)});
    return running;
  });
}

result<job_counts> job_reader::counts(const counts_query& query) {
  return impl_->read("count jobs", [&]() -> result<job_counts> { return count_jobs(impl_->statements, query); });
}

result<std::vector<failure_count>> job_reader::failures(std::size_t limit) {
  return impl_->read("count failures",
                     [&]() -> result<std::vector<failure_count>> { return count_failures(impl_->statements, limit); });
}

result<std::vector<job_id>> job_reader::clearable(const clear_filter& which, std::size_t limit) {
  return impl_->read("list finished jobs", [&]() -> result<std::vector<job_id>> {
    std::vector<std::int64_t> types;
    for (const auto& name : which.types.empty() ? std::vector<std::string>{""} : which.types)
      for (const auto type : types_named(impl_->statements, name))
        types.push_back(type);
    std::vector<job_range> ranges = ranges_for(types, which.states, false);
    std::erase_if(ranges, [](const job_range& range) { return !is_finished(range.state); });
    merged_walk finished(impl_->statements, ranges, walk::oldest_first);
    std::vector<job_id> ids;
    job_id bound{which.after.value + 1};
    while (ids.size() < limit) {
      const auto found = finished.seek(bound);
      if (!found)
        break;
      if (!which.ended_before || ended_before(impl_->statements, *found, *which.ended_before))
        ids.push_back(*found);
      bound = job_id{found->value + 1};
    }
    return ids;
  });
}

} // namespace ferry::storage
