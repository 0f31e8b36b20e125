// Sweeps: one job for each combination of parameter values, as they are typed.
#pragma once

#include "model/error.hpp"
#include "model/job.hpp"

#include <string>
#include <vector>

namespace ferry::cli {

// Each sweep is "key=10,25,50", or "key=1..8" for whole numbers; keys and values as --param takes them. The last sweep varies
// fastest. Errors: invalid_argument; too_large for more than limits::jobs_per_request_max combinations.
[[nodiscard]] result<std::vector<json>> combinations(const json& params, const std::vector<std::string>& sweeps);

} // namespace ferry::cli
