// What starts when, and what was measured, as people see it: pages made from the daemon's answers (docs/api.md). Pure.
#pragma once

#include "cli/terminal.hpp"
#include "model/job.hpp"
#include "model/time.hpp"

#include <string>

namespace ferry::cli {

// GET /jobs/{id}/explanation
[[nodiscard]] std::string explanation_page(const json& answer, const style& look, instant now);
// GET /batches
[[nodiscard]] std::string batches_page(const json& answer, const style& look, instant now);
// A move or a priority that was tried out.
[[nodiscard]] std::string changes_page(const json& answer, const style& look, instant now);
// GET /statistics: what warmth and batching saved; how well durations and starts were told.
[[nodiscard]] std::string savings_page(const json& answer, const style& look);
[[nodiscard]] std::string estimates_page(const json& answer, const style& look);

} // namespace ferry::cli
