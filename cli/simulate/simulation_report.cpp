#include "cli/simulate/simulation_report.hpp"

#include "cli/format.hpp"
#include "cli/simulate/csv_reader.hpp"
#include "cli/table.hpp"

#include <array>
#include <cmath>
#include <cstdio>
#include <functional>

namespace ferry::cli {
namespace {

using scheduling::estimate_errors;
using scheduling::promise_errors;
using scheduling::simulation_summary;
using scheduling::spread_of_times;

std::string decimal(double value, int places) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", places, value);
  return text.data();
}

std::string seconds(duration d) {
  const double value = static_cast<double>(d.count()) / 1000;
  return value < 100 ? decimal(value, 1) + " s" : with_commas(std::llround(value)) + " s";
}

double in_seconds(duration d) { return static_cast<double>(d.count()) / 1000; }
double share(std::size_t part, std::size_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}
std::string percentage(double fraction) { return decimal(fraction * 100, 1) + "%"; }
std::string count(std::size_t number) { return with_commas(static_cast<std::int64_t>(number)); }

json to_json(const spread_of_times& times) {
  return {{"mean_seconds", in_seconds(times.mean)},
          {"median_seconds", in_seconds(times.median)},
          {"p95_seconds", in_seconds(times.p95)},
          {"worst_seconds", in_seconds(times.worst)}};
}

json to_json(const estimate_errors& errors) {
  return {{"jobs", errors.estimated},
          {"median_relative_error", errors.median},
          {"within_20_percent", errors.within_20_percent},
          {"at_most_p90", errors.under_p90}};
}

json to_json(const promise_errors& errors) {
  return {{"jobs", errors.promised},
          {"median_relative_error", errors.median},
          {"within_20_percent", errors.within_20_percent},
          {"at_most_p90", errors.in_time}};
}

} // namespace

std::string simulation_table(const std::vector<simulated>& all, const estimate_errors& ahead, const style& look) {
  std::vector<column> columns{{"policy"}};
  for (const simulated& one : all)
    columns.push_back({one.policy, true});
  table page(std::move(columns));
  const auto row = [&](std::string name, const std::function<std::string(const simulation_summary&)>& value) {
    std::vector<cell> cells{{std::move(name)}};
    for (const simulated& one : all)
      cells.push_back({value(one.summary)});
    page.add(std::move(cells));
  };
  const auto spread = [&](const std::string& name, spread_of_times simulation_summary::*of) {
    row(name + ", mean", [&](const auto& s) { return seconds((s.*of).mean); });
    row(name + ", median", [&](const auto& s) { return seconds((s.*of).median); });
    row(name + ", 95th percentile", [&](const auto& s) { return seconds((s.*of).p95); });
    row(name + ", worst", [&](const auto& s) { return seconds((s.*of).worst); });
  };
  row("jobs", [](const auto& s) { return count(s.jobs); });
  spread("arrival to end", &simulation_summary::completion);
  spread("arrival to start", &simulation_summary::wait);
  row("devices working", [](const auto& s) { return percentage(s.working); });
  row("devices loading", [](const auto& s) { return percentage(s.loading); });
  row("batches", [](const auto& s) { return count(s.runs); });
  row("jobs a batch", [](const auto& s) { return decimal(share(s.jobs, s.runs), 2); });
  row("loads", [](const auto& s) { return count(s.loads); });
  row("loads a job", [](const auto& s) { return decimal(share(s.loads, s.jobs), 3); });
  row("overtaken jobs", [](const auto& s) { return count(s.overtakings); });
  row("overtaken by at most", [](const auto& s) { return seconds(s.overtaken_by); });
  const auto estimates = [&](const std::string& name, double estimate_errors::*of) {
    row(name, [&](const auto& s) { return s.estimates.estimated > 0 ? percentage(s.estimates.*of) : "-"; });
  };
  estimates("estimates, median error", &estimate_errors::median);
  estimates("estimates within 20%", &estimate_errors::within_20_percent);
  estimates("at most the 90th percentile", &estimate_errors::under_p90);
  const auto promises = [&](const std::string& name, double promise_errors::*of) {
    row(name, [&](const auto& s) { return s.promises.promised > 0 ? percentage(s.promises.*of) : "-"; });
  };
  row("starts promised for later than 30 s",
      [](const auto& s) { return s.promises.promised > 0 ? count(s.promises.promised) : "-"; });
  promises("promised waits, median error", &promise_errors::median);
  promises("promised waits within 20%", &promise_errors::within_20_percent);
  promises("started by the 90th percentile", &promise_errors::in_time);
  std::string text = page.render(look);
  for (const simulated& one : all)
    text += one.policy + ": the overtaking bound of " + seconds(one.bound) +
            (one.summary.overtaken_by <= one.bound ? " was kept\n" : " was BROKEN\n");
  if (ahead.estimated > 0)
    text += "estimates one job ahead: median error " + percentage(ahead.median) + ", " + percentage(ahead.within_20_percent) +
            " within 20%, " + percentage(ahead.under_p90) + " took at most the 90th percentile\n";
  return text;
}

json simulation_json(const std::vector<simulated>& all, const estimate_errors& ahead) {
  json policies = json::object();
  for (const auto& [policy, s, bound] : all)
    policies[policy] = {{"jobs", s.jobs},
                        {"completion", to_json(s.completion)},
                        {"wait", to_json(s.wait)},
                        {"lasted_seconds", in_seconds(s.lasted)},
                        {"devices_working", s.working},
                        {"devices_loading", s.loading},
                        {"batches", s.runs},
                        {"loads", s.loads},
                        {"overtaking",
                         {{"jobs", s.overtakings},
                          {"most_seconds", in_seconds(s.overtaken_by)},
                          {"bound_seconds", in_seconds(bound)},
                          {"kept", s.overtaken_by <= bound}}},
                        {"estimates", to_json(s.estimates)},
                        {"promised_starts", to_json(s.promises)}};
  return {{"policies", std::move(policies)}, {"estimates_one_job_ahead", to_json(ahead)}};
}

std::string schedule_csv(const trace& from, const scheduling::simulation& day, const scheduling::schedule& played) {
  std::string text = "line,type,arrival,start,work,end,device,batch,first_line,size,loads,duration,estimate,p90\n";
  const instant zero = day.jobs.empty() ? instant{} : day.jobs.front().arrival;
  const auto since = [&](instant t) { return decimal(in_seconds(t - zero), 3); };
  for (std::size_t i = 0; i < day.jobs.size(); ++i) {
    const auto& job = played.jobs[i];
    const auto& run = played.runs[job.run];
    text += std::to_string(from.lines[i]) + "," + csv_field(day.types[day.jobs[i].type].name) + "," + since(day.jobs[i].arrival) +
            "," + since(run.starts) + "," + since(run.works) + "," + since(run.ends) + "," + csv_field(day.devices[run.device].id) +
            "," + std::to_string(job.run + 1) + "," + std::to_string(from.lines[run.jobs.front()]) + "," +
            std::to_string(run.jobs.size()) + "," + (run.loads ? "1" : "0") + "," + decimal(in_seconds(day.jobs[i].took), 3) + "," +
            (job.expected ? decimal(in_seconds(job.expected->median), 3) : "") + "," +
            (job.expected ? decimal(in_seconds(job.expected->p90), 3) : "") + "\n";
  }
  return text;
}

} // namespace ferry::cli
