// The files of the source tree that people write.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ferry::rules {

struct source_file {
  std::string path; // relative to the root, with '/'
  std::string text;
};

// Every text file below `root`, in order; build folders, version control and what tools leave behind are left out.
[[nodiscard]] std::vector<source_file> read_tree(const std::filesystem::path& root);

[[nodiscard]] bool is_cpp(const source_file& file);

} // namespace ferry::rules
