// What happened to a job, in words.
#pragma once

#include "cli/terminal.hpp"
#include "model/job.hpp"

#include <string>

namespace ferry::cli {

// One entry of its history: "attempt 2 started on cpu", "retried in 12 s: ended with status 1".
[[nodiscard]] std::string entry_in_words(const json& entry);

// The last entries, a line each, under a heading; empty without entries.
[[nodiscard]] std::string timeline_block(const json& history, const style& look);

} // namespace ferry::cli
