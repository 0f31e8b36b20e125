// What queued jobs are expected to take, kept up with what is learnt while they wait. Pure and deterministic (P7).
//
// Bounds: what tells of limits::features_kept_max different jobs; those that were not looked at for longest are forgotten, and
// their jobs keep what was expected of them last.
#pragma once

#include "config/limits.hpp"
#include "scheduling/duration_estimator.hpp"
#include "scheduling/job_queue.hpp"
#include "scheduling/recent_keys.hpp"

#include <cstdint>

namespace ferry::scheduling {

class queued_estimates {
public:
  // A job is about to be queued: puts what is expected of it into it, and keeps what tells of it.
  void enter(queued_job& job, job_features features, const duration_estimator& known, instant now);
  // Puts what is expected now into a copy of a job that was entered. Predicts anew only where the estimator has seen a twentieth
  // more than last time.
  void refresh(queued_job& job, const duration_estimator& known, instant now);

private:
  struct entry {
    job_features features;
    std::uint32_t ms = 0;
    std::uint8_t spread = 0;
    std::int64_t seen = -1; // observations of the estimator
  };
  static void predict(entry& of, const duration_estimator& known, instant now);

  recent_keys<entry, limits::features_kept_max> entries_; // by queued_job::alike
};

} // namespace ferry::scheduling
