#include "cli/plan_views.hpp"

#include "cli/format.hpp"
#include "cli/job_views.hpp"
#include "cli/json_text.hpp"
#include "cli/table.hpp"
#include "cli/text.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace ferry::cli {
namespace {

duration seconds(double value) { return duration{std::llround(value * 1000)}; }

std::vector<std::int64_t> ids_in(const json& object, const char* key) {
  std::vector<std::int64_t> ids;
  for (const json& id : array_field(object, key))
    ids.push_back(id.get<std::int64_t>());
  return ids;
}

std::string jobs_in_words(const std::vector<std::int64_t>& ids) { return (ids.size() == 1 ? "job " : "jobs ") + id_ranges(ids); }

std::string from_now(const std::optional<instant>& at, instant now) {
  return !at ? "unknown" : *at <= now ? "now" : "in " + clock_time(*at - now);
}

std::string whole_percent(double share) { return std::to_string(std::llround(share * 100)) + "%"; }

std::string obstacle_in_words(const json& one, instant now) {
  std::string text = text_field(one, "why");
  const auto jobs = ids_in(one, "jobs");
  const auto until = time_field(one, "until");
  if (until)
    text += " until " + (jobs.empty() ? "" : jobs_in_words(jobs) + (jobs.size() == 1 ? " ends, " : " end, ")) + "about " +
            clock_on(*until, now);
  else if (!jobs.empty() && text.find("before it") == text.npos)
    text += " until " + jobs_in_words(jobs) + (jobs.size() == 1 ? " ends" : " end") + "; nobody knows when";
  return text;
}

std::string plan_in_words(const json& planned, std::int64_t self) {
  auto others = ids_in(planned, "jobs");
  std::erase(others, self);
  std::string text = "on " + text_field(planned, "device");
  text += others.empty() ? ", alone" : ", together with " + jobs_in_words(others);
  if (true_field(planned, "loads_model"))
    text += ", after its model is loaded";
  return text;
}

} // namespace

std::string explanation_page(const json& answer, const style& look, instant now) {
  const std::int64_t id = integer_field(answer, "id").value_or(0);
  std::string page = look.paint("job " + std::to_string(id), tone::bold) + " ";
  const std::string status = text_field(answer, "status"), why = printable(waiting_for(answer));
  if (status != "queued")
    return page + "is " + status + ": it waits for nothing\n";
  const auto position = integer_field(answer, "position");
  page +=
      (position ? "is queued at position " + with_commas(*position) : std::string("is queued")) + "; it waits for: " + why + "\n";
  const auto line = [&](const std::string& label, const std::string& text) {
    page += "  " + look.paint(pad(label, 11), tone::dim) + " " + printable(text) + "\n";
  };
  if (const auto start = time_field(answer, "expected_start"), late = time_field(answer, "expected_start_p90"); start && late)
    line("starts",
         from_now(start, now) + ", about " + clock_on(*start, now) + "; nine of ten such jobs by " + clock_on(*late, now));
  else if (!object_field(answer, "planned").empty())
    line("starts", "nobody knows when: nothing was measured yet of what runs before it");
  if (const json& promised = object_field(answer, "promised"); !promised.empty()) {
    const auto made = time_field(promised, "made"), start = time_field(promised, "start");
    if (made && start)
      line("promised", "for " + clock_on(*start, now) + ", " + ago(*made, now));
  }
  if (const json& planned = object_field(answer, "planned"); !planned.empty())
    line("runs", plan_in_words(planned, id));
  if (const auto share = text_field(answer, "fair_share"); !share.empty())
    line("turn", share);
  for (const json& one : array_field(answer, "devices"))
    line(text_field(one, "device"), obstacle_in_words(one, now));
  return page;
}

std::string batches_page(const json& answer, const style& look, instant now) {
  std::string page;
  table running({{"BATCH", true}, {"TYPE", false, 10}, {"DEVICE"}, {"JOBS", false, 12}, {"RUNS", true}, {"ENDS"}});
  for (const json& batch : array_field(answer, "running")) {
    const auto started = time_field(batch, "started"), end = time_field(batch, "expected_end");
    running.add({{std::to_string(integer_field(batch, "batch").value_or(0))},
                 {text_field(batch, "type")},
                 {text_field(batch, "device")},
                 {id_ranges(ids_in(batch, "jobs"))},
                 {started ? clock_time(now - *started) : ""},
                 {from_now(end, now)}});
  }
  if (!running.empty())
    page += look.paint("running", tone::bold) + "\n" + running.render(look) + "\n";
  table next({{"#", true},
              {"TYPE", false, 10},
              {"DEVICE"},
              {"JOBS", false, 12},
              {"STARTS"},
              {"MODEL"},
              {"TOGETHER", true},
              {"ONE BY ONE", true},
              {"SAVED", true}});
  double together = 0, alone = 0;
  std::int64_t number = 0;
  for (const json& batch : array_field(answer, "next")) {
    const auto jobs = ids_in(batch, "jobs");
    const auto shared = number_field(batch, "together_seconds"), single = number_field(batch, "one_by_one_seconds");
    const bool is_shared = shared && single && jobs.size() > 1;
    if (is_shared) {
      together += *shared;
      alone += *single;
    }
    next.add({{std::to_string(++number)},
              {text_field(batch, "type")},
              {text_field(batch, "device")},
              {id_ranges(jobs)},
              {from_now(time_field(batch, "expected_start"), now)},
              {true_field(batch, "loads_model") ? "loads" : ""},
              {shared ? clock_time(seconds(*shared)) : ""},
              {is_shared ? clock_time(seconds(*single)) : ""},
              {is_shared ? whole_percent(1 - *shared / *single) : ""}});
  }
  if (next.empty())
    return page + "nothing that waits may start\n";
  page += look.paint("next", tone::bold) + "\n" + next.render(look);
  if (alone > 0)
    page += "together " + clock_time(seconds(together)) + " instead of " + clock_time(seconds(alone)) +
            " one by one, as measured: " + whole_percent(1 - together / alone) + " saved\n";
  if (!true_field(answer, "is_whole"))
    page += "there are more: `ferry batches --limit N`\n";
  return page;
}

std::string changes_page(const json& answer, const style& look, instant now) {
  table changes({{"JOB", true}, {"POSITION"}, {"STARTS"}, {"CHANGE"}});
  for (const json& change : array_field(answer, "changes")) {
    const json &before = object_field(change, "before"), &after = object_field(change, "after");
    const auto was = integer_field(before, "position"), is = integer_field(after, "position");
    const auto started = time_field(before, "start"), starts = time_field(after, "start");
    std::string by;
    if (started && starts && *started != *starts)
      by = clock_time(std::chrono::abs(*starts - *started)) + (*starts < *started ? " earlier" : " later");
    changes.add({{std::to_string(integer_field(change, "job").value_or(0))},
                 {was && is && *was != *is ? with_commas(*was) + (look.unicode ? " → " : " to ") + with_commas(*is)
                  : is                     ? with_commas(*is)
                                           : ""},
                 {from_now(starts, now)},
                 {by, by.ends_with("later") ? tone::yellow : tone::green}});
  }
  return changes.empty() ? "nothing would change\n" : changes.render(look) + "nothing was changed: that was a dry run\n";
}

std::string savings_page(const json& answer, const style& look) {
  table t({{"TYPE", false, 10},
           {"JOBS", true},
           {"BATCHES", true},
           {"LOADS", true},
           {"WORKED", true},
           {"WARM SAVED", true},
           {"BATCHING SAVED", true},
           {"", true}});
  for (const auto& [name, type] : object_field(answer, "types").items()) {
    const json &warmth = object_field(type, "warmth"), &batching = object_field(type, "batching");
    const double alone = number_field(batching, "one_by_one_seconds").value_or(0),
                 saved = number_field(batching, "saved_seconds").value_or(0);
    const double warm = number_field(warmth, "saved_seconds").value_or(0);
    t.add({{name},
           {with_commas(integer_field(type, "jobs").value_or(0))},
           {with_commas(integer_field(type, "batches").value_or(0))},
           {with_commas(integer_field(type, "loads").value_or(0))},
           {clock_time(seconds(number_field(type, "worked_seconds").value_or(0)))},
           {warm > 0 ? clock_time(seconds(warm)) : ""},
           {alone > 0 ? (saved < 0 ? "-" : "") + clock_time(seconds(std::abs(saved))) : ""},
           {alone > 0 ? whole_percent(saved / alone) : ""}});
  }
  if (t.empty())
    return "no job has completed yet\n";
  return t.render(look) +
         "warm: loading each job's model anew would have taken that much longer; batching: what the jobs of shared batches "
         "would have taken one by one, as measured of such jobs, less what they took\n";
}

std::string estimates_page(const json& answer, const style& look) {
  std::string page;
  table durations({{"DURATION OF", false, 10}, {"JOBS", true}, {"MEAN ERROR", true}, {"WITHIN 20%", true}, {"AT MOST P90", true}});
  for (const auto& [name, type] : object_field(answer, "types").items()) {
    const json& e = object_field(type, "estimates");
    if (const auto jobs = integer_field(e, "jobs").value_or(0); jobs > 0)
      durations.add({{name},
                     {with_commas(jobs)},
                     {whole_percent(number_field(e, "mean_relative_error").value_or(0))},
                     {whole_percent(number_field(e, "within_20_percent").value_or(0))},
                     {whole_percent(number_field(e, "at_most_p90").value_or(0))}});
  }
  if (!durations.empty())
    page += durations.render(look) + "\n";
  table starts({{"PROMISED WAIT"},
                {"STARTS", true},
                {"PROMISED", true},
                {"WAITED", true},
                {"MEAN ERROR", true},
                {"WITHIN 20%", true},
                {"BY P90", true}});
  for (const json& p : array_field(answer, "promised_starts")) {
    const auto count = integer_field(p, "starts").value_or(0);
    if (count == 0)
      continue;
    const auto from = integer_field(p, "from_seconds").value_or(0), to = integer_field(p, "to_seconds").value_or(0);
    const auto mean = [&](const char* key) { return clock_time(seconds(number_field(p, key).value_or(0))); };
    starts.add({{from == 0 ? "below " + to_words(std::chrono::seconds(to))
                 : to == 0 ? "from " + to_words(std::chrono::seconds(from))
                           : to_words(std::chrono::seconds(from)) + " to " + to_words(std::chrono::seconds(to))},
                {with_commas(count)},
                {mean("mean_promised_seconds")},
                {mean("mean_waited_seconds")},
                {mean("mean_error_seconds")},
                {whole_percent(number_field(p, "within_20_percent").value_or(0))},
                {whole_percent(number_field(p, "at_most_p90").value_or(0))}});
  }
  page += starts.empty() ? std::string("no promised start has come yet\n") : starts.render(look);
  return page;
}

std::string users_page(const json& answer, const style& look) {
  table users({{"USER", false, 10},
               {"WEIGHT", true},
               {"SHARE", true},
               {"DEVICE TIME", true},
               {"COMPLETED", true},
               {"RUNNING", true},
               {"QUEUED", true}});
  for (const json& u : array_field(answer, "users")) {
    const std::string name = text_field(u, "name");
    const auto count = [&](const char* key) { return with_commas(integer_field(u, key).value_or(0)); };
    users.add({{name.empty() ? "(none)" : name},
               {json(number_field(u, "weight").value_or(1)).dump()},
               {whole_percent(number_field(u, "share").value_or(0))},
               {clock_time(seconds(number_field(u, "device_seconds").value_or(0)))},
               {count("completed")},
               {count("running")},
               {count("queued")}});
  }
  return users.empty() ? "no user has jobs, or used devices lately\n" : users.render(look);
}

} // namespace ferry::cli
