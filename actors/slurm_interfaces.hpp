// The actors that speak to Slurm, and their messages. Included by interfaces.hpp, and by nobody else.
#pragma once

#include "runners/slurm_jobs.hpp"

namespace ferry::actors {

// ---- slurm_gate: Slurm's programs, one call after the other, so that nobody who follows runs waits for them ---------------------

// Answered with the id of the Slurm job. After an error it may have been submitted all the same.
struct submit_to_slurm {
  runners::slurm_order what;
};
struct list_slurm_jobs {};
// TERM to its supervisor; with `kill` Slurm ends all of it.
struct end_slurm_job {
  std::int64_t id = 0;
  bool kill = false;
};
// Is the partition there, and does Slurm answer? What is wrong; empty: nothing.
struct check_slurm {};
// How a job ended that Slurm's queue has forgotten, where there is accounting; empty: nobody knows.
struct read_slurm_end {
  std::int64_t id = 0;
};
using slurm_jobs = std::vector<runners::slurm_job>;

using slurm_gate_actor =
    caf::typed_actor<caf::result<result<std::int64_t>>(submit_to_slurm), caf::result<result<slurm_jobs>>(list_slurm_jobs),
                     caf::result<result<done>>(end_slurm_job), caf::result<result<std::string>>(check_slurm),
                     caf::result<result<std::string>>(read_slurm_end)>;

// ---- slurm_executor: the executor of the device `slurm` -----------------------------------------------------------------------

struct slurm_follow_due {}; // runs may have written something, and Slurm's queue may have changed
struct slurm_check_due {};  // the partition may be in trouble, or out of it

using slurm_executor_actor = gpu_executor_actor::extend<caf::result<void>(slurm_follow_due), caf::result<void>(slurm_check_due)>;

} // namespace ferry::actors
