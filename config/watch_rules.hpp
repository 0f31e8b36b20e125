// What the watchdog looks for in the runs of a job type, as `[job_types.<name>]` declares it.
#pragma once

#include "model/error.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace ferry::config {

// What is done about a finding.
enum class watch_action {
  warn,  // written into the job's history
  retry, // the run is ended; tried again as far as the retry policy allows
  fail,  // the run is ended, the job has failed
};

[[nodiscard]] std::string_view to_string(watch_action action);

// "loss is nan: fail", "loss > 100: warn", "grad_norm is inf for 3: retry". A metric is what a job reports under "metrics" with its
// progress; `for N` asks for N reports in a row.
struct metric_rule {
  enum class test { is_nan, is_inf, above, below };
  std::string metric;
  test what = test::is_nan;
  double bound = 0;
  int times = 1;
  watch_action action = watch_action::fail;
  std::string text; // as written
};

// Errors: invalid_argument that says what is wrong and shows the form.
[[nodiscard]] result<metric_rule> parse_metric_rule(std::string_view text);

struct watch_rules {
  std::chrono::seconds max_run_time{0}; // 0, here and below: no limit
  watch_action on_max_run_time = watch_action::fail;
  std::chrono::milliseconds max_start_time{0}; // until the first sign of life: an event, progress or output
  watch_action on_max_start_time = watch_action::retry;
  std::chrono::milliseconds heartbeat{0}; // the longest silence: no event, progress or output
  watch_action on_heartbeat = watch_action::retry;
  int stall_factor = 0; // no step for so many times the median step time
  watch_action on_stall = watch_action::warn;
  std::chrono::milliseconds idle_gpu{0}; // 0% use while memory is held
  watch_action on_idle_gpu = watch_action::warn;
};

} // namespace ferry::config
