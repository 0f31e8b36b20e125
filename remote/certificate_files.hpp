// Files and folders of certificates: bounded reading, and writing that leaves a whole, synced file under its name or none. Without
// OpenSSL. Errors name the file.
#pragma once

#include "model/error.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace ferry::remote {

struct file_content {
  std::string text;
  mode_t mode = 0; // permission bits
};

// Errors: not_found, too_large, forbidden (not allowed to), io.
[[nodiscard]] result<file_content> read_small_file(const std::filesystem::path& file);

// Made with mode 0700, its parents as usual. One that others may write to is refused. Errors: forbidden, conflict (no folder), io,
// disk_full.
[[nodiscard]] result<void> make_own_folder(const std::filesystem::path& folder);

// A file that must not exist. Errors: conflict, io, disk_full.
[[nodiscard]] result<void> write_new_file(const std::filesystem::path& file, std::string_view text, mode_t mode);

// Errors: io, disk_full.
[[nodiscard]] result<void> replace_file(const std::filesystem::path& file, std::string_view text, mode_t mode);

} // namespace ferry::remote
