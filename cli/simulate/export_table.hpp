// What ran, as a table that `ferry simulate` reads. Pure.
#pragma once

#include "model/job.hpp"

#include <string>
#include <vector>

namespace ferry::cli {

// A row (CSV, RFC 4180) for each of these jobs, as GET /jobs/{id} answers, that completed: arrival, duration (seconds of its last
// run, without loading; in a batch that of the batch until its end), type, priority, batch, and its parameters by dotted path, a
// list by how long it is. In the order of their arrival.
[[nodiscard]] std::string export_table(const std::vector<json>& jobs);

} // namespace ferry::cli
