// What a simulated schedule was like, in numbers. Pure.
#pragma once

#include "scheduling/simulator.hpp"

#include <optional>

namespace ferry::scheduling {

struct spread_of_times {
  duration mean{}, median{}, p95{}, worst{};
};

struct estimate_errors {
  std::size_t estimated = 0; // jobs that had an estimate when they arrived
  double median = 0;         // of |estimate − truth| / truth
  double within_20_percent = 0;
  double under_p90 = 0; // share that took at most the 90th percentile; well estimated if 0.9
};

// Of starts that were promised, when they arrived, to jobs that had to wait for more than 30 s by that.
struct promise_errors {
  std::size_t promised = 0;
  double median = 0; // of |came − promised| / promised, both from arrival on
  double within_20_percent = 0;
  double in_time = 0; // share that started by the time that nine of ten should
};

struct simulation_summary {
  std::size_t jobs = 0, runs = 0, loads = 0;
  spread_of_times wait;            // from arrival until its work begins, loading included
  spread_of_times completion;      // from arrival to end
  duration lasted{};               // from the first arrival to the last end
  double working = 0, loading = 0; // shares of the time of all devices
  estimate_errors estimates;
  promise_errors promises;
  // The most by which the first job of a batch was submitted after one of the same priority that it overtook; companions ride along
  // and do not count. And by how many jobs were overtaken at all.
  duration overtaken_by{};
  std::size_t overtakings = 0;
};

// How well durations can be told at all: each job is estimated from all that arrived before it, as if those had ended at once, each
// alone.
[[nodiscard]] estimate_errors one_job_ahead(const simulation& day);

[[nodiscard]] simulation_summary summarize(const simulation& day, const schedule& played);

} // namespace ferry::scheduling
