// Calls a program of the system and waits for what it prints: never through a shell, never for longer than it was given, and never
// for more than it may print.
#pragma once

#include "model/error.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace ferry::runners {

struct program_call {
  std::vector<std::string> words;       // the first is looked up in PATH
  std::vector<std::string> environment; // "NAME=value"; nothing is inherited
  std::chrono::milliseconds timeout{20'000};
  std::size_t bytes_max = 8 * 1024 * 1024;                 // of its output
  std::shared_ptr<const std::atomic<bool>> abandoned = {}; // once that is set nobody waits any more; may be null
};

// Its standard output, when it ended with status 0. Errors: not_found (no such program), unavailable (it did not end in time, or
// was abandoned, or ended with another status: the first lines of what it complained of), too_large, io. It and what it started are
// gone then.
[[nodiscard]] result<std::string> call(const program_call& what);

} // namespace ferry::runners
