// What lies in files, for tests.
#pragma once

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace ferry::tests {

// Empty where there is no file.
inline std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// Regular ones, at any depth.
inline std::size_t files_below(const std::filesystem::path& folder) {
  std::size_t count = 0;
  std::error_code failed;
  for (std::filesystem::recursive_directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed))
    count += at->is_regular_file() ? 1 : 0;
  return count;
}

} // namespace ferry::tests
