// Turns what SQLite and the operating system report into ferry's errors: which of them mean a full disk, a damaged file, a lock or
// a fault of ferry's own, and what to tell the user.
#pragma once

#include "model/error.hpp"

#include <SQLiteCpp/Exception.h>
#include <filesystem>
#include <sqlite3.h>
#include <string>

namespace ferry::storage {

// The error for a failed call on `connection` (may be null). `doing` completes "…: cannot <doing>".
[[nodiscard]] error sqlite_error(const SQLite::Exception& failure, sqlite3* connection, const std::filesystem::path& file,
                                 const std::string& doing);

// The error for a failed system call with this errno.
[[nodiscard]] error system_error(int number, const std::filesystem::path& file, const std::string& doing);

// A file that cannot be trusted; `what` says which fault was found. The hint names the way out.
[[nodiscard]] error damaged_error(const std::filesystem::path& file, const std::string& what);

} // namespace ferry::storage
