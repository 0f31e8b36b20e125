// Finds what a job left to be continued from, by the pattern of its type.
#pragma once

#include "model/time.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace ferry::runners {

struct found_file {
  std::string path; // relative to the directory
  instant written{};
};

// The regular file below `directory` that was written last of those whose relative path fits the pattern (fnmatch(3): * does not
// cross a /); of several of the same time the one whose path sorts last. At most limits::checkpoint_files_searched_max files are
// looked at; symbolic links are not followed.
[[nodiscard]] std::optional<found_file> newest_file(const std::filesystem::path& directory, const std::string& pattern);

} // namespace ferry::runners
