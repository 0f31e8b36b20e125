// What running together and staying warm saved, as measured, and how far duration estimates were off. Of one job type; pure.
#pragma once

#include "model/error.hpp"
#include "model/job.hpp"
#include "model/time.hpp"

#include <cstdint>
#include <optional>

namespace ferry::scheduling {

struct savings {
  std::int64_t jobs = 0, batches = 0, loads = 0; // of batches whose jobs all completed; a job in parts counts with its last run
  double worked_ms = 0, loaded_ms = 0;           // of a device
  // Warmth: jobs that found their model loaded, and what loading it anew for each of their runs would have taken.
  std::int64_t warm_jobs = 0;
  double warm_saved_ms = 0;
  // Batching: jobs that ran with others, what they would have taken one by one by what was measured of such jobs, and what they
  // took.
  std::int64_t shared_jobs = 0;
  double shared_alone_ms = 0, shared_ms = 0;
  // Estimates of jobs that ran alone; of one in parts, that of its last run.
  std::int64_t estimated = 0, within_20_percent = 0, at_most_p90 = 0;
  double relative_error_sum = 0;

  // How many jobs were in a batch, and how many of them have more runs to come.
  struct count_of_jobs {
    std::size_t all = 0, go_on = 0;
  };
  void count_batch(count_of_jobs in_it, duration took, std::optional<duration> loading, std::optional<duration> load_time);
  void count_shared(count_of_jobs in_it, duration one_by_one, duration took);
  void count_estimate(duration median, duration p90, duration took);

  [[nodiscard]] json to_json() const;
  // Errors: damaged.
  [[nodiscard]] static result<savings> from_json(const json& stored);
};

} // namespace ferry::scheduling
