// Aging: what waits long enough comes first, so that no stream of more important jobs starves the others. Pure.
//
// A queued job that may start gains a step of 10 priority points for each period (`queue.aging`) that it has waited since it could
// start; its effective priority, at most 100, decides the order. Tiers are not crossed.
//
// The bound: after at most aging_steps_to_top(p) periods a job of priority p is at 100, and from then on no job of its tier that
// was submitted (or retried) after it starts before it, unless users move one or warm workers let one pass (`batch.overtaking`).
// So it waits at most that many periods and the time for the work that is in front of it then or was submitted before it. (The
// paces of groups, devices and the pause are the users' own.)
//
// Steps are derived from the time since which a job waits, also after a restart; none of them is a fact.
#pragma once

#include "model/job.hpp"
#include "model/time.hpp"

#include <algorithm>

namespace ferry::scheduling {

inline constexpr int aging_step = 10; // priority points
inline constexpr int aging_steps_max = (priority_max - priority_min + aging_step - 1) / aging_step;

[[nodiscard]] constexpr int effective_priority(int priority, int steps) {
  return std::min(priority_max, priority + aging_step * steps);
}

// From this priority to the highest one.
[[nodiscard]] constexpr int aging_steps_to_top(int priority) { return (priority_max - priority + aging_step - 1) / aging_step; }

// That a job has gained which waits since `since`; none where the period is 0, which switches aging off.
[[nodiscard]] constexpr int aging_steps(instant since, instant now, duration period) {
  if (period.count() <= 0 || now <= since)
    return 0;
  return static_cast<int>(std::min<std::int64_t>((now - since) / period, aging_steps_max));
}

} // namespace ferry::scheduling
