// A batch: job after job, those that share a network one behind the other, so that each network is loaded once. A job that fails is
// its own affair.
#pragma once

#include "gpu/upscale/program/run_job.hpp"
#include "gpu/upscale/program/spec.hpp"

#include <functional>
#include <vector>

namespace ferry::upscale {

struct batch_outcome {
  int done = 0;
  int failed = 0;
  bool stopped = false; // by a signal: of the jobs that were left nothing was reported
};

struct batch_control {
  std::function<bool()> all_stop;                 // the whole program is to end
  std::function<bool(std::int64_t)> is_cancelled; // that job is
};

// Reports each job's end.
[[nodiscard]] batch_outcome run_batch(std::vector<batch_entry> jobs, engines& networks, reporter& says,
                                      const batch_control& control);

} // namespace ferry::upscale
