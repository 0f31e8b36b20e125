#include "scheduling/simulation_summary.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace ferry::scheduling {
namespace {

spread_of_times spread_of(std::vector<duration> times) {
  if (times.empty())
    return {};
  std::sort(times.begin(), times.end());
  duration sum{};
  for (const duration t : times)
    sum += t;
  const auto count = times.size();
  return {sum / static_cast<std::int64_t>(count), times[count / 2], times[count * 95 / 100], times.back()};
}

estimate_errors errors_of(const simulation& day, const schedule& played) {
  estimate_errors found;
  std::vector<double> errors;
  for (std::size_t i = 0; i < day.jobs.size(); ++i) {
    const auto& expected = played.jobs[i].expected;
    // A process loads each time, and that is part of what it takes.
    const bool loads = day.types[day.jobs[i].type].runner == config::runner_kind::process;
    const auto truth = static_cast<double>((day.jobs[i].took + (loads ? day.load : duration{0})).count());
    if (!expected || truth <= 0)
      continue;
    errors.push_back(std::abs(static_cast<double>(expected->median.count()) - truth) / truth);
    found.within_20_percent += errors.back() <= 0.2 ? 1 : 0;
    found.under_p90 += truth <= static_cast<double>(expected->p90.count()) ? 1 : 0;
  }
  found.estimated = errors.size();
  if (errors.empty())
    return found;
  std::sort(errors.begin(), errors.end());
  found.median = errors[errors.size() / 2];
  found.within_20_percent /= static_cast<double>(errors.size());
  found.under_p90 /= static_cast<double>(errors.size());
  return found;
}

// From the schedule alone, without knowing how it was decided.
void find_overtaking(const simulation& day, const schedule& played, simulation_summary& found) {
  std::map<int, std::vector<std::size_t>> by_priority; // in order of arrival
  for (std::size_t i = 0; i < day.jobs.size(); ++i)
    by_priority[day.jobs[i].priority].push_back(i);
  std::map<int, std::size_t> first; // of each priority: all before it have started
  std::vector<bool> started(day.jobs.size()), overtaken(day.jobs.size());
  for (const played_run& run : played.runs) {
    const std::size_t leader = run.jobs.front();
    const int priority = day.jobs[leader].priority;
    for (const std::size_t job : run.jobs)
      started[job] = true;
    const auto& order = by_priority[priority];
    std::size_t& next = first[priority];
    while (next < order.size() && started[order[next]])
      ++next;
    if (next < order.size() && order[next] < leader)
      found.overtaken_by = std::max(found.overtaken_by, day.jobs[leader].arrival - day.jobs[order[next]].arrival);
    for (std::size_t i = next; i < order.size() && order[i] < leader; ++i)
      if (!started[order[i]])
        overtaken[order[i]] = true;
  }
  found.overtakings = static_cast<std::size_t>(std::count(overtaken.begin(), overtaken.end(), true));
}

} // namespace

simulation_summary summarize(const simulation& day, const schedule& played) {
  simulation_summary found{.jobs = day.jobs.size(), .runs = played.runs.size()};
  if (day.jobs.empty())
    return found;
  std::vector<duration> waits, completions;
  instant last = day.jobs.front().arrival;
  for (std::size_t i = 0; i < day.jobs.size(); ++i) {
    const played_run& run = played.runs[played.jobs[i].run];
    waits.push_back(run.works - day.jobs[i].arrival);
    completions.push_back(run.ends - day.jobs[i].arrival);
    last = std::max(last, run.ends);
  }
  found.wait = spread_of(std::move(waits));
  found.completion = spread_of(std::move(completions));
  found.lasted = last - day.jobs.front().arrival;
  double slots = 0;
  for (const device& d : day.devices)
    slots += d.slots;
  const double whole = static_cast<double>(std::max(found.lasted, duration{1}).count()) * std::max(slots, 1.0);
  for (const played_run& run : played.runs) {
    found.loads += run.loads ? 1 : 0;
    const double used = day.types[day.jobs[run.jobs.front()].type].slots;
    found.working += static_cast<double>((run.ends - run.works).count()) * used / whole;
    found.loading += static_cast<double>((run.works - run.starts).count()) * used / whole;
  }
  found.estimates = errors_of(day, played);
  find_overtaking(day, played, found);
  return found;
}

} // namespace ferry::scheduling
