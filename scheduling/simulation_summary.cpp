#include "scheduling/simulation_summary.hpp"

#include "scheduling/batch_traits.hpp"

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

// A process loads each time, and that is part of what it takes.
duration truth_of(const simulation& day, std::size_t job) {
  const bool loads = day.types[day.jobs[job].type].runner == config::runner_kind::process;
  return day.jobs[job].took + (loads ? day.load : duration{0});
}

class error_counter {
public:
  void add(const std::optional<estimate>& expected, duration truth) {
    if (!expected || truth.count() <= 0)
      return;
    const auto ms = static_cast<double>(truth.count());
    errors_.push_back(std::abs(static_cast<double>(expected->median.count()) - ms) / ms);
    within_20_percent_ += errors_.back() <= 0.2 ? 1 : 0;
    under_p90_ += truth <= expected->p90 ? 1 : 0;
  }
  estimate_errors count() {
    if (errors_.empty())
      return {};
    std::sort(errors_.begin(), errors_.end());
    const auto all = static_cast<double>(errors_.size());
    return {errors_.size(), errors_[errors_.size() / 2], within_20_percent_ / all, under_p90_ / all};
  }

private:
  std::vector<double> errors_;
  double within_20_percent_ = 0, under_p90_ = 0;
};

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

promise_errors held_against(const simulation& day, const schedule& played) {
  std::vector<double> errors;
  promise_errors found;
  for (std::size_t i = 0; i < day.jobs.size(); ++i) {
    const auto& promised = played.jobs[i].promised;
    if (!promised || promised->start - promised->made <= std::chrono::seconds(30))
      continue;
    const instant started = played.runs[played.jobs[i].run].starts;
    const auto wait = static_cast<double>((promised->start - promised->made).count());
    errors.push_back(std::abs(static_cast<double>((started - promised->start).count())) / wait);
    found.within_20_percent += errors.back() <= 0.2 ? 1 : 0;
    found.in_time += started <= promised->late ? 1 : 0;
  }
  found.promised = errors.size();
  if (errors.empty())
    return found;
  std::sort(errors.begin(), errors.end());
  found.median = errors[errors.size() / 2];
  found.within_20_percent /= static_cast<double>(errors.size());
  found.in_time /= static_cast<double>(errors.size());
  return found;
}

} // namespace

estimate_errors one_job_ahead(const simulation& day) {
  std::vector<duration_estimator> of_types(day.types.size());
  error_counter errors;
  for (std::size_t i = 0; i < day.jobs.size(); ++i) {
    const recorded_job& job = day.jobs[i];
    const auto& type = day.types[job.type];
    const auto features = features_of(type.estimate, job.params, traits_of(type, job.params).warm, job.user);
    errors.add(of_types[job.type].predict(features, job.arrival), truth_of(day, i));
    of_types[job.type].observe(features, truth_of(day, i), job.arrival);
  }
  return errors.count();
}

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
  error_counter errors;
  for (std::size_t i = 0; i < day.jobs.size(); ++i)
    errors.add(played.jobs[i].expected, truth_of(day, i));
  found.estimates = errors.count();
  found.promises = held_against(day, played);
  find_overtaking(day, played, found);
  return found;
}

} // namespace ferry::scheduling
