// Verbs that do something to a whole job type instead of to jobs.
#pragma once

#include "cli/verb.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ferry::cli {

// POST /job-types/{type}/<action>, and a sentence. Errors: invalid_argument when jobs are named too.
[[nodiscard]] result<int> post_to_type(context& c, const std::string& type, const std::vector<std::int64_t>& ids,
                                       const std::string& action);

} // namespace ferry::cli
