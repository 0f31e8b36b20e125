// Reads a piece of a log file.
#pragma once

#include "model/error.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

namespace ferry::http {

struct log_chunk {
  std::int64_t offset = 0; // of the first byte
  std::string bytes;
  bool at_end = true; // nothing follows at the moment
};

// At most `limit` bytes from `offset`; a negative offset counts from the end. A file that does not exist (yet) is empty.
// Errors: io.
[[nodiscard]] result<log_chunk> read_log_file(const std::filesystem::path& file, std::int64_t offset, std::size_t limit);

} // namespace ferry::http
