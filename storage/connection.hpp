// Opening a connection: SQLite in WAL mode with the settings that ferry's durability and memory promises rest on.
#pragma once

#include "config/settings.hpp"
#include "model/error.hpp"
#include "storage/sqlite_errors.hpp"

#include <SQLiteCpp/Database.h>
#include <exception>
#include <filesystem>
#include <memory>

namespace ferry::storage {

// Exceptions inside `work` become errors of `file`; `doing` completes "cannot …".
template <class Work>
auto guarded(sqlite3* connection, const std::filesystem::path& file, const char* doing, Work&& work) -> decltype(work()) {
  try {
    return work();
  } catch (const SQLite::Exception& failure) {
    return fail(sqlite_error(failure, connection, file, doing));
  } catch (const std::exception& failure) {
    return fail(error_code::internal, file.string() + ": cannot " + doing + ": " + failure.what());
  }
}

// The connection that writes: migrated and checked. Errors: damaged, newer_version, disk_full, io, unavailable.
[[nodiscard]] result<std::unique_ptr<SQLite::Database>> open_writer(const std::filesystem::path& file,
                                                                    config::durability durability, bool full_check);
// A connection that only reads. Errors: not_found (no database yet), newer_version, damaged, io.
[[nodiscard]] result<std::unique_ptr<SQLite::Database>> open_reader(const std::filesystem::path& file);

} // namespace ferry::storage
