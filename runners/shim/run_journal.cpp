#include "runners/shim/run_journal.hpp"

#include <algorithm>
#include <cmath>

namespace ferry::runners {
namespace {

using namespace std::chrono_literals;

constexpr double stored_fraction_step = 0.01;
constexpr auto stored_pause = 10s;

} // namespace

void run_journal::add(const run_progressed& event) {
  const json line = to_json(run_event(event));
  if (!is_worth_storing(event)) {
    log_.pass(line);
    return;
  }
  stored_progress_[event.job] = {event.value, clock::now()};
  log_.add(line);
}

bool run_journal::is_worth_storing(const run_progressed& event) const {
  // A metric that is no number may be what the watchdog looks for, also in the next daemon.
  const auto& metrics = event.value.metrics;
  if (std::any_of(metrics.begin(), metrics.end(), [](const auto& metric) { return !std::isfinite(metric.second); }))
    return true;
  const auto last = stored_progress_.find(event.job);
  if (last == stored_progress_.end() || clock::now() - last->second.at >= stored_pause)
    return true;
  const auto before = last->second.value.fraction, after = event.value.fraction;
  return before.has_value() != after.has_value() || (after && std::abs(*after - *before) >= stored_fraction_step);
}

} // namespace ferry::runners
