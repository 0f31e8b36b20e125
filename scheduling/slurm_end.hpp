// What a batch's end in Slurm means for its jobs, where their run left no record that tells. Pure.
#pragma once

#include "config/job_type.hpp"
#include "scheduling/outcome.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace ferry::scheduling {

struct slurm_end {
  std::string stopped_by = {};          // to be judged as a stop for that reason
  std::optional<failure> broken = {};   // to be judged as a failure that the retry policy may try again
  std::optional<failure> for_good = {}; // likewise, and another try would be against somebody's wish
};

// `state` as Slurm calls it; empty: it has forgotten the job. `where`: "Slurm job 12 on node n1", for people. `type`: that of its
// jobs says whether one that ran too long may be tried again (on_max_run_time); null: no longer configured.
[[nodiscard]] slurm_end judge_slurm_end(std::string_view state, const std::string& where, const config::job_type* type);

} // namespace ferry::scheduling
