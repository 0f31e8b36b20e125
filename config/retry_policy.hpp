// How often failures of a job type are tried again, as `[job_types.<name>]` declares it under `retry`.
#pragma once

#include <chrono>

namespace ferry::config {

// How many automatic retries a job may have had when its attempt fails in this way, for it to be tried once more.
struct retry_policy {
  int exit_status = 0, signal = 0, oom = 0, timeout = 2, lost = 3, device = 3, transient = 3, metric = 1;
  std::chrono::milliseconds delay{10'000}; // before the first retry; doubles with each
  std::chrono::milliseconds delay_max{600'000};
};

} // namespace ferry::config
