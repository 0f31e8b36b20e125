#include "storage/connection.hpp"

#include "storage/schema.hpp"

#include <sqlite3.h>
#include <string>

namespace ferry::storage {
namespace {

// Longer than any commit or checkpoint takes: what waits longer has met a foreign program that holds the file.
constexpr int busy_timeout_ms = 3'000;

// Debian's SQLite overwrites deleted content with zeros, which costs writes; FAST does so only where it is free.
constexpr const char* common_settings = R"sql(
PRAGMA foreign_keys = ON;
PRAGMA temp_store = MEMORY;
PRAGMA trusted_schema = OFF;
PRAGMA secure_delete = FAST;
)sql";

constexpr const char* writer_settings = R"sql(
PRAGMA cache_size = -4096;
PRAGMA wal_autocheckpoint = 1000;
PRAGMA journal_size_limit = 16777216;
)sql";

constexpr const char* reader_settings = R"sql(
PRAGMA cache_size = -2048;
PRAGMA query_only = ON;
)sql";

// SQLite counts what it allocates unless told not to, under a lock for the whole process; nobody asks for it. Refused, and
// harmless, once SQLite is in use.
void do_not_count_memory() {
  static const int once = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  static_cast<void>(once);
}

} // namespace

result<std::unique_ptr<SQLite::Database>> open_writer(const std::filesystem::path& file, config::durability durability,
                                                      bool full_check) {
  do_not_count_memory();
  std::unique_ptr<SQLite::Database> database;
  const auto opened = [&]() -> result<void> {
    database = std::make_unique<SQLite::Database>(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX, busy_timeout_ms);
    database->exec("PRAGMA schema_version"); // reads the header: a file that is not a database ends here, unchanged
    database->exec(common_settings);
    if (auto migrated = migrate(*database, file); !migrated)
      return migrated;
    if (const auto mode = database->execAndGet("PRAGMA journal_mode = WAL").getString(); mode != "wal")
      return fail(error_code::io,
                  file.string() + ": the file system does not support SQLite's WAL mode (it stays in mode " + mode + ")",
                  "set storage.data_dir to a folder on a local disk");
    database->exec(writer_settings);
    database->exec(durability == config::durability::full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    return check_structure(*database, file, full_check);
  };
  try {
    if (auto done = opened(); !done)
      return fail(done.error());
  } catch (const SQLite::Exception& failure) {
    return fail(sqlite_error(failure, database ? database->getHandle() : nullptr, file, "open the job store"));
  }
  return database;
}

result<std::unique_ptr<SQLite::Database>> open_reader(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file))
    return fail(error_code::not_found, file.string() + " does not exist", "it is made when ferryd first starts");
  std::unique_ptr<SQLite::Database> database;
  try {
    // WAL readers share memory with the writer, so the file is opened for writing and the connection told not to.
    database = std::make_unique<SQLite::Database>(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX, busy_timeout_ms);
    const auto version = database->execAndGet("PRAGMA user_version").getInt();
    if (version != schema_version())
      return fail(version > schema_version() ? error_code::newer_version : error_code::unavailable,
                  file.string() + " has schema version " + std::to_string(version) + ", this ferry reads version " +
                      std::to_string(schema_version()));
    database->exec(common_settings);
    database->exec(reader_settings);
  } catch (const SQLite::Exception& failure) {
    return fail(sqlite_error(failure, database ? database->getHandle() : nullptr, file, "open the job store for reading"));
  }
  return database;
}

} // namespace ferry::storage
