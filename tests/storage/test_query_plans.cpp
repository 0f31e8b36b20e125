#include "storage_support.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <set>
#include <sqlite3.h>

using namespace ferry;
using namespace ferry::storage;
using namespace ferry::storage::test;

namespace {

std::set<std::string>* seen_statements = nullptr;

int remember_statement(unsigned, void*, void* statement, void*) {
  if (seen_statements)
    seen_statements->insert(sqlite3_sql(static_cast<sqlite3_stmt*>(statement)));
  return 0;
}
int watch_connection(sqlite3* connection, const char**, const void*) {
  return sqlite3_trace_v2(connection, SQLITE_TRACE_STMT, remember_statement, nullptr);
}

bool begins_with(const std::string& text, const std::string& start) { return text.rfind(start, 0) == 0; }

// Everything that the store and its reader can be asked, so that each of their statements runs once.
void use_everything(const std::filesystem::path& folder) {
  const auto store = open_store(folder);
  std::vector<fact> facts;
  for (std::int64_t id = 1; id <= 2'100; ++id)
    facts.push_back(queued(id, id % 2 ? "upscale" : "inference", "name"));
  auto needing = queued(2'101);
  needing.needs = {job_id{1}, job_id{2}};
  auto dropping = queued(2'102);
  dropping.needs = {job_id{1}};
  needing.group = "night";
  needing.unique_key = "key";
  facts.insert(facts.end(), {group_changed{"night", 2, true, at(1)}, needing, dropping, job_released{job_id{2'102}, at(1), true}});
  store_facts(*store, facts, {"key", "digest"});
  store_facts(*store,
              {job_edited{job_id{1}, "{}", "new", at(1)}, job_held{job_id{1}, at(1)}, job_released{job_id{1}, at(1)},
               job_reordered{job_id{1}, 1, 1, at(1)}, started(1, {1, 3}), batch_requeued{batch_id{1}, {job_id{1}}, "", at(1)},
               finished(3, 1), batch_ended{batch_id{1}, at(1)}, finished(5, 0, job_state::cancelled),
               job_retried{job_id{5}, 7, at(1)}, jobs_cleared{{job_id{3}}, at(1)}, queue_paused{true, at(1)}, started(2, {7}),
               job_noted{job_id{7}, batch_id{2}, {note_kind::checkpoint, at(1), {{"path", "a"}}}},
               attempt_ended{.id = job_id{7}, .batch = batch_id{2}, .how = attempt_end::preempted, .at = at(1)},
               batch_ended{batch_id{2}, at(1)}, started(3, {7}), type_held{"upscale", "why", at(1)},
               type_released{"upscale", at(1)}});
  must(store->read_starts({job_id{7}}));
  REQUIRE_FALSE(store->apply({queued(1)}));
  must(store->apply({queue_paused{false, at(1)}}));
  REQUIRE_FALSE(store->apply({queued(1)}));
  must(store->commit());
  must(store->read_starts({job_id{1}}));
  must(store->restore([](const live_job&) {}));
  const auto reader = open_reader(folder);
  must(reader->find(job_id{3}));
  must(reader->find(job_id{2'101}));
  must(reader->history(job_id{3}));
  must(reader->find_all({job_id{3}}, false));
  must(reader->clearable({}, 10));
  must(reader->page({}));
  must(reader->page({.with_cleared = true}));
  must(reader->page({.states = {job_state::completed}, .type = "upscale", .name_contains = "a", .with_cleared = true}));
}

} // namespace

TEST_CASE("no statement walks through a table that grows, and none sorts") {
  const temporary_folder folder;
  { // the schema is made unobserved
    const auto store = open_store(folder.path());
  }
  std::set<std::string> statements;
  seen_statements = &statements;
  sqlite3_auto_extension(reinterpret_cast<void (*)()>(watch_connection));
  use_everything(folder.path());
  sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(watch_connection));
  seen_statements = nullptr;
  REQUIRE(statements.size() > 40);

  SQLite::Database database((folder.path() / "ferry.db").string(), SQLite::OPEN_READWRITE);
  int explained = 0;
  for (const auto& sql : statements) {
    const auto verb = sql.find_first_not_of(" \n");
    if (verb == std::string::npos || begins_with(sql, "--") || begins_with(sql.substr(verb), "PRAGMA"))
      continue;
    // Each start's look at the structure: the size of the schema, and at most one row of an index.
    if (sql.find("sqlite_schema") != std::string::npos || sql.find("sqlite_master") != std::string::npos ||
        sql.find("LIMIT 1)") != std::string::npos)
      continue;
    SQLite::Statement plan(database, "EXPLAIN QUERY PLAN " + sql);
    while (plan.executeStep()) {
      const auto step = plan.getColumn(3).getString();
      INFO(sql << "\n→ " << step);
      ++explained;
      CHECK(step.find("TEMP B-TREE") == std::string::npos);
      if (begins_with(step, "SCAN")) {
        const bool few_rows = begins_with(step, "SCAN job_types") || begins_with(step, "SCAN queue_totals") ||
                              begins_with(step, "SCAN held_types") || begins_with(step, "SCAN learned") || // one row a type
                              begins_with(step, "SCAN job_groups");
        const bool whole_queue = begins_with(step, "SCAN jobs USING COVERING INDEX jobs_waiting") ||
                                 begins_with(step, "SCAN batches USING INDEX batches_running") ||
                                 begins_with(step, "SCAN jobs USING INDEX jobs_by_key") || // a row for each live job with a key
                                 begins_with(step, "SCAN jobs USING INDEX jobs_with_selector"); // that asks for devices
        CHECK((few_rows || whole_queue));
      }
    }
  }
  CHECK(explained > 30);
}
