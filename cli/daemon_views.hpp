// The daemon, its devices and its job types as people see them. Pure.
#pragma once

#include "cli/terminal.hpp"
#include "model/job.hpp"

#include <string>

namespace ferry::cli {

// The answer of GET /status.
[[nodiscard]] std::string status_page(const json& answer, const style& look);

// The answer of GET /job-types.
[[nodiscard]] std::string types_page(const json& answer, const style& look);

// One job type with its parameters.
[[nodiscard]] std::string type_page(const json& type, const style& look);

} // namespace ferry::cli
