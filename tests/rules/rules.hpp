// The rules of the source tree, as functions from one file's text to what it does wrong. docs/developer_guide.md says why they
// hold.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ferry::rules {

inline constexpr std::size_t source_lines_max = 500;

// All take a path relative to the root and say each fault as `path:line: what`.

// A layer includes only what is above it, written from the root; the pure layers stay pure.
[[nodiscard]] std::vector<std::string> check_includes(std::string_view path, std::string_view text);
// One concept a file.
[[nodiscard]] std::vector<std::string> check_length(std::string_view path, std::string_view text);
// Nothing depends on where one machine keeps its files.
[[nodiscard]] std::vector<std::string> check_absolute_paths(std::string_view path, std::string_view text);

} // namespace ferry::rules
