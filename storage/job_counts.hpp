// What became of jobs, counted by hour or day and by reason. Bounded: of many jobs the newest are counted, and the answer says so.
#pragma once

#include "config/limits.hpp"
#include "model/job.hpp"

#include <optional>
#include <string>
#include <vector>

namespace ferry::storage {

struct counts_query {
  instant from{};    // what was submitted or ended since
  duration bucket{}; // at least a minute
  duration offset{}; // buckets begin at multiples of `bucket` of the time plus this: a zone's, for days
  std::size_t rows_max = limits::counted_jobs_max;
};

// Of one type in one bucket.
struct job_count {
  instant start{};
  std::string type;
  std::int64_t submitted = 0;
  std::int64_t completed = 0, failed = 0, cancelled = 0; // that ended in it
  std::int64_t started = 0;                              // for the first and only time
  duration wait_p50{}, wait_p90{};                       // of these, from submit to start
  duration device_time{};                                // of the last attempts of those that ended
};
struct job_counts {
  std::vector<job_count> rows; // by time, then type; buckets without any job are left out
  bool is_whole = true;        // false: there were more jobs than are looked at
};

// Why jobs fail: those that failed for the same reason together.
struct failure_count {
  std::string type;
  failure why; // the newest
  std::int64_t jobs = 0;
  instant last{};
};

} // namespace ferry::storage
