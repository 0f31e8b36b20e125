// The tables and how they came to be: one numbered step for each schema version ever shipped (P10). Steps are never changed once
// shipped; a new version appends one, and leaves a fixture of the one
// before to the tests.
#pragma once

#include "model/error.hpp"

#include <SQLiteCpp/Database.h>
#include <filesystem>

namespace ferry::storage {

// The schema version that this program writes.
[[nodiscard]] int schema_version();

// Brings an older (or empty) database to schema_version() in one transaction; tells a newer one and one of another program apart.
// Changes nothing when it fails. Errors: newer_version, damaged.
[[nodiscard]] result<void> migrate(SQLite::Database& database, const std::filesystem::path& file);

// A look at the structure that takes the same time for any number of jobs: every table and index is there, and both ends of each
// can be read. `full` reads everything (PRAGMA integrity_check and foreign_key_check; seconds for a million jobs). Errors: damaged.
[[nodiscard]] result<void> check_structure(SQLite::Database& database, const std::filesystem::path& file, bool full);

} // namespace ferry::storage
