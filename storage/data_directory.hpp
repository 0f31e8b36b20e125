// The data directory and its one owner: a lock file that the owner keeps flock'ed and that holds its pid. The lock falls with the
// process that held it, however it ended.
#pragma once

#include "model/error.hpp"

#include <filesystem>

namespace ferry::storage {

inline std::filesystem::path database_file(const std::filesystem::path& data_dir) { return data_dir / "ferry.db"; }

class data_directory {
public:
  // Makes the folder (0700) and an empty database file (0600) where they are missing, and takes the lock.
  // Errors: locked (names the owner's pid), disk_full, io.
  [[nodiscard]] static result<data_directory> own(const std::filesystem::path& data_dir);

  data_directory(data_directory&& other) noexcept;
  data_directory& operator=(data_directory&&) = delete;
  ~data_directory();

private:
  explicit data_directory(int lock) : lock_(lock) {}
  int lock_; // file descriptor; -1: moved from
};

} // namespace ferry::storage
