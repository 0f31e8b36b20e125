// A recorded day, read from a table: one job a row.
#pragma once

#include "model/error.hpp"
#include "scheduling/simulator.hpp"

#include <istream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ferry::cli {

// Which column says what. Those that are not set are taken from the column of the same name where there is one ("type", "user",
// "priority", "items"); arrival and duration have to be there.
struct trace_columns {
  std::optional<std::string> arrival, duration, type, user, priority, items;
  std::vector<std::string> parameters;                    // those that are needed; all are read by dotted path
  std::vector<std::pair<std::string, std::string>> where; // only rows with these values
};

struct trace {
  std::vector<scheduling::recorded_job> jobs; // in the order of their arrival
  std::vector<int> lines;                     // of the jobs, in the file
  std::vector<std::string> types;             // by recorded_job::type; a table without types has one, "job"
  std::size_t left_out = 0;                   // rows that `where` does not want
  std::size_t in_parts = 0;                   // jobs that ran in parts, by their column of items
};

// Times are seconds, or RFC 3339 (a space in the middle will do, and UTC is meant where no zone is given). Errors:
// invalid_argument, with a problem that names file, line, column and value for each fault.
[[nodiscard]] result<trace> read_trace(std::istream& in, const std::string& file, const trace_columns& columns);

} // namespace ferry::cli
