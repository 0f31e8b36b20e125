// One job from its source to its output, whatever the source is.
#pragma once

#include "gpu/upscale/program/engines.hpp"
#include "gpu/upscale/program/reporter.hpp"
#include "gpu/upscale/program/upscale_job.hpp"

#include <functional>

namespace ferry::upscale {

// What jobs share.
struct workplace {
  engines& networks;
  reporter& says;
  std::function<bool()> should_stop; // asked between tiles and frames
};

// Reports progress and artifacts, not the end. Paths in the result and of artifacts are relative to job.folder. When should_stop()
// said so the error's code is `unavailable`, and nothing lies under the output's name; a video's finished segments stay for the
// next run.
[[nodiscard]] result<job_result> run_job(const upscale_job& job, workplace& at);

} // namespace ferry::upscale
