// What a simulation has shown, as a table, as JSON, and the schedule itself as CSV. Pure.
#pragma once

#include "cli/simulate/trace.hpp"
#include "cli/terminal.hpp"
#include "scheduling/simulation_summary.hpp"

#include <string>
#include <utility>
#include <vector>

namespace ferry::cli {

struct simulated {
  std::string policy;
  scheduling::simulation_summary summary;
  duration bound{}; // that nobody may be overtaken by more than
};

// A column a policy. `ahead`: scheduling::one_job_ahead, which no policy changes.
[[nodiscard]] std::string simulation_table(const std::vector<simulated>& all, const scheduling::estimate_errors& ahead,
                                           const style& look);
[[nodiscard]] json simulation_json(const std::vector<simulated>& all, const scheduling::estimate_errors& ahead);

// A row a job, in the order of arrival; times are seconds since the first arrival.
[[nodiscard]] std::string schedule_csv(const trace& from, const scheduling::simulation& day, const scheduling::schedule& played);

} // namespace ferry::cli
