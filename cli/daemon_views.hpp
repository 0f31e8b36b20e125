// The daemon, its devices and its job types as people see them. Pure.
#pragma once

#include "cli/terminal.hpp"
#include "model/job.hpp"

#include <string>

namespace ferry::cli {

// The answer of GET /status.
[[nodiscard]] std::string status_page(const json& answer, const style& look);

// The answer of GET /job-types.
// The groups of GET /groups, and one of them in a line.
[[nodiscard]] std::string groups_page(const json& groups, const style& look);
[[nodiscard]] std::string group_line(const json& group);

[[nodiscard]] std::string types_page(const json& answer, const style& look);

// One job type with its parameters.
[[nodiscard]] std::string type_page(const json& type, const style& look);

} // namespace ferry::cli
