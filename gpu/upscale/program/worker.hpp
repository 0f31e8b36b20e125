// The worker: stays with its network loaded and takes batch after batch, as JSON lines (DESIGN, section 6).
// In:  {"type":"run","batch":7,"jobs":[{"id":1,"params":{…},"dir":"…"}]}   batches that come while one runs wait, a few of them
//      {"type":"cancel","job":1}     a job that runs stops at the next tile or frame; one that waits never starts; both are
//      answered with `failed`, "cancelled"
//      {"type":"stop"}               no more is taken; what was given is finished, then the program ends with status 0. So does the
//      end of the input
// Out: ready (once, when batches can be taken), progress, artifact, done, failed, log: see event_reporter.hpp.
// A line that cannot be understood is answered with a log line.
#pragma once

#include "gpu/upscale/program/engines.hpp"

namespace ferry::upscale {

// Speaks through the two descriptors until it is to end. SIGTERM and SIGINT end it at the next tile. Answers the exit status.
[[nodiscard]] int run_worker(int in, int out, const compute_options& options);

} // namespace ferry::upscale
