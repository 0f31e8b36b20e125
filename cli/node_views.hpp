// The machines that lend the daemon their devices, as people see them. Pure.
#pragma once

#include "cli/terminal.hpp"
#include "model/job.hpp"
#include "model/time.hpp"

#include <string>

namespace ferry::cli {

// The answer of GET /nodes: a table, and below it what is wrong; where there are none, how a machine becomes one.
[[nodiscard]] std::string nodes_page(const json& answer, const style& look, instant now);

} // namespace ferry::cli
