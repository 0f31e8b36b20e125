// Counts what the store holds: see job_counts.hpp.
#pragma once

#include "storage/job_counts.hpp"
#include "storage/statements.hpp"

namespace ferry::storage {

// Looks at the newest jobs, back to those that were submitted `wait_max` before `from`: one that waited longer is not counted.
[[nodiscard]] job_counts count_jobs(statement_cache& statements, const counts_query& query);

// Of the newest failed jobs of each type, the reasons with most jobs first.
[[nodiscard]] std::vector<failure_count> count_failures(statement_cache& statements, std::size_t limit);

} // namespace ferry::storage
