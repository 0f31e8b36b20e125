// Is a run well? Follows the signs of life of one run and says what the rules of its type find. Pure: time is an argument.
#pragma once

#include "config/watch_rules.hpp"
#include "model/device.hpp"
#include "model/job.hpp"
#include "model/time.hpp"
#include "scheduling/outcome.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ferry::scheduling {

struct finding {
  std::string rule; // the key of the rule in the job type: "heartbeat"
  config::watch_action action = config::watch_action::warn;
  failure_kind kind = failure_kind::timeout;
  std::string why; // one sentence with what was seen and the bound
};

// Why its run is ended; nothing where a finding is only a warning.
[[nodiscard]] std::optional<stop_reason> reason_to_stop(const finding& found);

class run_watch {
public:
  run_watch(config::watch_rules rules, std::vector<config::metric_rule> metric_rules, instant started);

  // Anything that shows that the run lives: an event, progress, or output at that time. Older signs change nothing.
  void sign_of_life(instant at);
  void progressed(const progress& how_far, instant at);
  // What its GPU told; a reading without use or memory tells nothing.
  void gpu_used(const device_reading& gpu, instant at);

  // What is wrong now. Each rule speaks once; one that warned speaks again after the run recovered from it.
  [[nodiscard]] std::vector<finding> look(instant now);
  // When a rule could next find something if nothing is heard until then.
  [[nodiscard]] std::optional<instant> next_look() const;

  // Is there any rule to follow?
  [[nodiscard]] static bool is_needed(const config::watch_rules& rules, const std::vector<config::metric_rule>& metric_rules);

private:
  void check(std::vector<finding>& found, std::string_view rule, bool broken, config::watch_action action, failure_kind kind,
             std::string why);
  [[nodiscard]] bool heartbeat_counts() const;
  [[nodiscard]] std::optional<duration> median_step() const;
  [[nodiscard]] std::optional<instant> stall_limit() const;

  config::watch_rules rules_;
  std::vector<config::metric_rule> metric_rules_;
  std::vector<int> times_broken_; // in a row, one a metric rule
  std::vector<double> last_value_;
  instant started_;
  std::optional<instant> last_sign_;
  std::optional<std::int64_t> step_;
  instant step_at_{};
  std::deque<duration> step_times_; // of the latest steps
  std::optional<instant> gpu_idle_since_;
  std::map<std::string, bool, std::less<>> said_; // by rule
};

} // namespace ferry::scheduling
