#include "storage/schema.hpp"

#include "storage/sqlite_errors.hpp"

#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <array>
#include <string>
#include <vector>

namespace ferry::storage {
namespace {

// "fery" in ASCII: says whose file it is (`file ferry.db` shows it).
constexpr std::int64_t ferry_application_id = 0x66657279;

// Times are milliseconds since the Unix epoch. States are the numbers of model/job_state.hpp.
constexpr const char* version_1 = R"sql(
PRAGMA application_id = 1717924473;

CREATE TABLE job_types (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE devices (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE batches (
  id      INTEGER PRIMARY KEY,
  type    INTEGER NOT NULL REFERENCES job_types (id),
  device  INTEGER NOT NULL REFERENCES devices (id),
  state   INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2), -- 0: running, 1: ended, 2: never ran, its jobs were queued again
  started INTEGER NOT NULL,
  ended   INTEGER
) STRICT;
CREATE INDEX batches_running ON batches (id) WHERE state = 0;

-- What decides about a job and what lists show; documents are kept apart so that these rows stay narrow.
CREATE TABLE jobs (
  id        INTEGER PRIMARY KEY,
  type      INTEGER NOT NULL REFERENCES job_types (id),
  state     INTEGER NOT NULL CHECK (state BETWEEN 0 AND 4),
  priority  INTEGER NOT NULL,
  order_key INTEGER NOT NULL,
  held      INTEGER NOT NULL CHECK (held IN (0, 1)),
  attempts  INTEGER NOT NULL CHECK (attempts >= 0),
  created   INTEGER NOT NULL,
  batch     INTEGER REFERENCES batches (id), -- of the latest attempt, as is `started`
  started   INTEGER,
  finished  INTEGER,
  cleared   INTEGER,
  name      TEXT
) STRICT;
-- Restoring the queue reads this index alone; `state` is in it because SQLite would else fetch each row to look at it.
CREATE INDEX jobs_waiting ON jobs (held, priority DESC, order_key, id, type, attempts, state) WHERE state = 0;
-- Every list is a merge of ranges of this index: the row id that ends it makes each range ascend by id.
CREATE INDEX jobs_by_type ON jobs (type, state, (cleared IS NULL));

CREATE TABLE job_params (
  job    INTEGER PRIMARY KEY REFERENCES jobs (id),
  params TEXT NOT NULL
) STRICT;

-- Only for jobs that left a failure or a result.
CREATE TABLE job_outcomes (
  job     INTEGER PRIMARY KEY REFERENCES jobs (id),
  failure TEXT,
  result  TEXT
) STRICT;

-- What happened to a job after it was queued; `what` is event_kind of history.hpp.
CREATE TABLE job_events (
  job    INTEGER NOT NULL REFERENCES jobs (id),
  number INTEGER NOT NULL,
  at     INTEGER NOT NULL,
  what   INTEGER NOT NULL,
  batch  INTEGER,
  detail TEXT,
  PRIMARY KEY (job, number)
) STRICT, WITHOUT ROWID;

-- The names of 1,024 jobs at a time, for searching; name_index.hpp describes the format.
CREATE TABLE name_blocks (
  block INTEGER PRIMARY KEY,
  names BLOB NOT NULL
) STRICT;

-- Submits that carried an idempotency key; `jobs` is a list of ranges such as 5-104,110-110.
CREATE TABLE submissions (
  key    TEXT PRIMARY KEY,
  digest TEXT NOT NULL,
  jobs   TEXT NOT NULL,
  at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX submissions_by_time ON submissions (at);

CREATE TABLE queue_totals (
  only_row       INTEGER PRIMARY KEY CHECK (only_row = 1),
  paused         INTEGER NOT NULL CHECK (paused IN (0, 1)),
  last_order_key INTEGER NOT NULL,
  completed      INTEGER NOT NULL,
  failed         INTEGER NOT NULL,
  cancelled      INTEGER NOT NULL
) STRICT;
INSERT INTO queue_totals VALUES (1, 0, 0, 0, 0, 0);
)sql";

// Attempts that follow on others: retries with their backoff, why a job or a type is held, and what a job was resumed from.
constexpr const char* version_2 = R"sql(
ALTER TABLE jobs ADD COLUMN retries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN start_crashes INTEGER NOT NULL DEFAULT 0; -- of daemon or supervisor, in a row
ALTER TABLE jobs ADD COLUMN not_before INTEGER;
ALTER TABLE jobs ADD COLUMN held_for TEXT;
ALTER TABLE jobs ADD COLUMN resumed_from INTEGER;

DROP INDEX jobs_waiting;
CREATE INDEX jobs_waiting ON jobs (held, priority DESC, order_key, id, type, attempts, state, retries, start_crashes, not_before)
  WHERE state = 0;

CREATE TABLE held_types (
  type   INTEGER PRIMARY KEY REFERENCES job_types (id),
  reason TEXT NOT NULL,
  since  INTEGER NOT NULL
) STRICT;
)sql";

// Batches of several jobs: how far they are divided, and what was measured of types, groups and devices.
constexpr const char* version_3 = R"sql(
ALTER TABLE jobs ADD COLUMN batch_max INTEGER NOT NULL DEFAULT 0; -- it runs with at most so many jobs; 0: no such bound

DROP INDEX jobs_waiting;
CREATE INDEX jobs_waiting ON jobs (held, priority DESC, order_key, id, type, attempts, state, retries, start_crashes, not_before,
                                   created, batch_max)
  WHERE state = 0;

-- What was learned, as JSON, by what it is about; the newest replaces what was there.
CREATE TABLE learned (
  about TEXT PRIMARY KEY,
  value TEXT NOT NULL,
  at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

// Jobs that wait for others.
constexpr const char* version_4 = R"sql(
ALTER TABLE jobs ADD COLUMN needs_rule INTEGER CHECK (needs_rule BETWEEN 0 AND 2); -- needs_rule of model/job.hpp; NULL: it needs nothing

DROP INDEX jobs_waiting;
CREATE INDEX jobs_waiting ON jobs (held, priority DESC, order_key, id, type, attempts, state, retries, start_crashes, not_before,
                                   created, batch_max, needs_rule)
  WHERE state = 0;

CREATE TABLE job_needs (
  job   INTEGER NOT NULL REFERENCES jobs (id),
  needs INTEGER NOT NULL REFERENCES jobs (id),
  PRIMARY KEY (job, needs)
) STRICT, WITHOUT ROWID;
)sql";

// Groups of jobs with their settings, and jobs of which there is no second.
constexpr const char* version_5 = R"sql(
CREATE TABLE job_groups (
  id       INTEGER PRIMARY KEY,
  name     TEXT NOT NULL UNIQUE,
  parallel INTEGER NOT NULL DEFAULT 0, -- at most so many of its jobs run at once; 0: no limit
  paused   INTEGER NOT NULL DEFAULT 0 CHECK (paused IN (0, 1))
) STRICT;

ALTER TABLE jobs ADD COLUMN job_group INTEGER REFERENCES job_groups (id);
ALTER TABLE jobs ADD COLUMN unique_key TEXT;

DROP INDEX jobs_waiting;
CREATE INDEX jobs_waiting ON jobs (held, priority DESC, order_key, id, type, attempts, state, retries, start_crashes, not_before,
                                   created, batch_max, needs_rule, job_group)
  WHERE state = 0;
CREATE UNIQUE INDEX jobs_by_key ON jobs (unique_key) WHERE unique_key IS NOT NULL AND state < 2;
)sql";

// Aging: since when a job could start, as far as that is not when it was queued.
constexpr const char* version_6 = R"sql(
ALTER TABLE jobs ADD COLUMN waits_since INTEGER;

DROP INDEX jobs_waiting;
CREATE INDEX jobs_waiting ON jobs (held, priority DESC, order_key, id, type, attempts, state, retries, start_crashes, not_before,
                                   created, batch_max, needs_rule, job_group, waits_since)
  WHERE state = 0;
)sql";

// Whose jobs are; those queued before have no user.
constexpr const char* version_7 = R"sql(
CREATE TABLE job_users (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

ALTER TABLE jobs ADD COLUMN job_user INTEGER REFERENCES job_users (id);

DROP INDEX jobs_waiting;
CREATE INDEX jobs_waiting ON jobs (held, priority DESC, order_key, id, type, attempts, state, retries, start_crashes, not_before,
                                   created, batch_max, needs_rule, job_group, waits_since, job_user)
  WHERE state = 0;
)sql";

// Jobs that run in parts: how many of their items are done, and what their latest run took of them.
constexpr const char* version_8 = R"sql(
ALTER TABLE jobs ADD COLUMN items_done INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN items_max INTEGER NOT NULL DEFAULT 0;  -- a run takes at most so many; 0: no such bound
ALTER TABLE jobs ADD COLUMN part_items INTEGER NOT NULL DEFAULT 0; -- of the latest run; 0: all, and the job did not run in parts
ALTER TABLE jobs ADD COLUMN part_of INTEGER NOT NULL DEFAULT 0;    -- that the job had in all when that started

DROP INDEX jobs_waiting;
CREATE INDEX jobs_waiting ON jobs (held, priority DESC, order_key, id, type, attempts, state, retries, start_crashes, not_before,
                                   created, batch_max, needs_rule, job_group, waits_since, job_user, items_done, items_max)
  WHERE state = 0;

-- The parts that are done, but for the last one: what that left is the outcome of the job.
CREATE TABLE job_parts (
  job        INTEGER NOT NULL REFERENCES jobs (id),
  first_item INTEGER NOT NULL,
  items      INTEGER NOT NULL,
  batch      INTEGER NOT NULL REFERENCES batches (id),
  result     TEXT,
  PRIMARY KEY (job, first_item)
) STRICT, WITHOUT ROWID;
)sql";

// The devices that jobs ask for: a JSON object of labels, as model/device_selector.hpp has it.
constexpr const char* version_9 = R"sql(
ALTER TABLE jobs ADD COLUMN selector TEXT;
CREATE INDEX jobs_with_selector ON jobs (id) WHERE selector IS NOT NULL AND state < 2;
)sql";

constexpr std::array steps{version_1, version_2, version_3, version_4, version_5, version_6, version_7, version_8, version_9};

struct table {
  const char* name;
  const char* key;
};
constexpr std::array tables{table{"job_types", "id"},    table{"devices", "id"},
                            table{"batches", "id"},      table{"jobs", "id"},
                            table{"job_params", "job"},  table{"job_outcomes", "job"},
                            table{"job_events", "job"},  table{"name_blocks", "block"},
                            table{"submissions", "key"}, table{"queue_totals", "only_row"},
                            table{"held_types", "type"}, table{"learned", "about"},
                            table{"job_needs", "job"},   table{"job_groups", "id"},
                            table{"job_users", "id"},    table{"job_parts", "job"}};
constexpr std::array indices{"batches_running",     "jobs_waiting", "jobs_by_type",
                             "submissions_by_time", "jobs_by_key",  "jobs_with_selector"};

std::int64_t number(SQLite::Database& database, const std::string& sql) { return database.execAndGet(sql).getInt64(); }

result<void> check_everything(SQLite::Database& database, const std::filesystem::path& file) {
  SQLite::Statement integrity(database, "PRAGMA integrity_check(10)");
  std::string found;
  while (integrity.executeStep())
    if (const auto line = integrity.getColumn(0).getString(); line != "ok")
      found += (found.empty() ? "" : "; ") + line;
  if (!found.empty())
    return fail(damaged_error(file, found));
  SQLite::Statement references(database, "PRAGMA foreign_key_check");
  if (references.executeStep())
    return fail(damaged_error(file, "table " + references.getColumn(0).getString() + " refers to a row of " +
                                        references.getColumn(2).getString() + " that does not exist"));
  return {};
}

} // namespace

int schema_version() { return static_cast<int>(steps.size()); }

result<void> migrate(SQLite::Database& database, const std::filesystem::path& file) {
  const auto found = number(database, "PRAGMA user_version");
  if (number(database, "PRAGMA application_id") != ferry_application_id &&
      number(database, "SELECT count(*) FROM sqlite_schema") > 0)
    return fail(damaged_error(file, "it is an SQLite database, but of another program"));
  if (found > schema_version())
    return fail(error_code::newer_version,
                file.string() + " has schema version " + std::to_string(found) + ", this ferry knows versions up to " +
                    std::to_string(schema_version()),
                "start the newer ferry that wrote it, or set storage.data_dir to another folder");
  if (found < 0)
    return fail(damaged_error(file, "its schema version is " + std::to_string(found)));
  if (found == schema_version())
    return {};
  SQLite::Transaction all_steps(database, SQLite::TransactionBehavior::IMMEDIATE);
  for (auto step = static_cast<std::size_t>(found); step < steps.size(); ++step)
    database.exec(steps.at(step));
  database.exec("PRAGMA user_version = " + std::to_string(schema_version()));
  all_steps.commit();
  return {};
}

result<void> check_structure(SQLite::Database& database, const std::filesystem::path& file, bool full) {
  for (const char* index : indices)
    if (number(database, "SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND name = '" + std::string(index) + "'") != 1)
      return fail(damaged_error(file, "the index " + std::string(index) + " is missing"));
  for (const table& t : tables) {
    if (!database.tableExists(t.name))
      return fail(damaged_error(file, "the table " + std::string(t.name) + " is missing"));
    for (const char* end : {"min", "max"})
      database.execAndGet(std::string("SELECT ") + end + "(" + t.key + ") FROM " + t.name);
  }
  database.execAndGet("SELECT count(*) FROM (SELECT 1 FROM jobs INDEXED BY jobs_waiting WHERE state = 0 LIMIT 1)");
  database.execAndGet("SELECT count(*) FROM (SELECT 1 FROM jobs INDEXED BY jobs_by_type WHERE type > 0 LIMIT 1)");
  if (number(database, "SELECT count(*) FROM queue_totals") != 1)
    return fail(damaged_error(file, "the table queue_totals is empty"));
  return full ? check_everything(database, file) : result<void>{};
}

} // namespace ferry::storage
