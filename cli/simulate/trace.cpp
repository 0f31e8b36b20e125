#include "cli/simulate/trace.hpp"

#include "cli/simulate/csv_reader.hpp"
#include "config/limits.hpp"
#include "config/text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

namespace ferry::cli {
namespace {

using scheduling::recorded_job;

std::optional<double> number_from(std::string_view text) {
  double value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  return fault == std::errc{} && end == text.data() + text.size() && std::isfinite(value) ? std::optional(value) : std::nullopt;
}

std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  int value = 0;
  if (at + count > text.size())
    return std::nullopt;
  const auto [end, fault] = std::from_chars(text.data() + at, text.data() + at + count, value);
  return fault == std::errc{} && end == text.data() + at + count && value >= 0 ? std::optional(value) : std::nullopt;
}

// 2026-01-31T12:00:00.250+01:00, 2026-01-31 12:00:00
std::optional<instant> time_from(std::string_view text) {
  using namespace std::chrono;
  const auto y = digits(text, 0, 4), mo = digits(text, 5, 2), d = digits(text, 8, 2), h = digits(text, 11, 2),
             mi = digits(text, 14, 2), s = digits(text, 17, 2);
  if (!y || !mo || !d || !h || !mi || !s || text[4] != '-' || text[7] != '-' ||
      (text[10] != 'T' && text[10] != 't' && text[10] != ' ') || text[13] != ':' || text[16] != ':')
    return std::nullopt;
  const year_month_day date{year(*y), month(static_cast<unsigned>(*mo)), day(static_cast<unsigned>(*d))};
  if (!date.ok() || *h > 23 || *mi > 59 || *s > 60)
    return std::nullopt;
  instant t = sys_days(date) + hours(*h) + minutes(*mi) + seconds(*s);
  text.remove_prefix(19);
  if (text.starts_with('.')) {
    const auto end = std::min(text.find_first_not_of("0123456789", 1), text.size());
    const auto fraction = number_from("0" + std::string(text.substr(0, end)));
    if (end < 2 || !fraction)
      return std::nullopt;
    t += duration{static_cast<std::int64_t>(*fraction * 1000)};
    text.remove_prefix(end);
  }
  if (text.empty() || text == "Z" || text == "z")
    return t;
  const auto zone_h = digits(text, 1, 2), zone_m = digits(text, 4, 2);
  if (text.size() != 6 || !zone_h || !zone_m || text[3] != ':' || (text[0] != '+' && text[0] != '-') || *zone_h > 23 ||
      *zone_m > 59)
    return std::nullopt;
  const auto offset = hours(*zone_h) + minutes(*zone_m);
  return text[0] == '+' ? t - offset : t + offset;
}

std::optional<duration> duration_from_seconds(std::string_view text, double most) {
  const auto value = number_from(text);
  return value && *value >= 0 && *value <= most ? std::optional(duration{std::llround(*value * 1000)}) : std::nullopt;
}

// Numbers and truth values are such; an empty field is a parameter that is not there.
void set_parameter(json& params, std::string_view path, const std::string& text) {
  if (text.empty())
    return;
  json* at = &params;
  for (std::size_t dot = path.find('.'); dot != path.npos && !at->is_null(); dot = path.find('.')) {
    json& member = (*at)[std::string(path.substr(0, dot))];
    if (!member.is_object())
      member = json::object();
    at = &member;
    path.remove_prefix(dot + 1);
  }
  json& value = (*at)[std::string(path)];
  if (const auto number = number_from(text))
    value = *number == std::floor(*number) && std::abs(*number) < 1e15 ? json(static_cast<std::int64_t>(*number)) : json(*number);
  else if (text == "true" || text == "false")
    value = text == "true";
  else
    value = text;
}

class reader {
public:
  reader(std::istream& in, const std::string& file, const trace_columns& columns) : rows_(in), file_(file), columns_(columns) {}

  result<trace> read() {
    auto header = rows_.next();
    if (!header)
      return fail(at_line(header.error().what));
    if (!*header)
      return fail(error_code::invalid_argument, file_ + " is empty", "its first line names the columns");
    names_ = std::move(**header);
    if (auto found = find_columns(); !found)
      return fail(found.error());
    for (;;) {
      auto row = rows_.next();
      if (!row)
        return fail(at_line(row.error().what));
      if (!*row || problems_.size() >= limits::problems_max)
        break;
      take(**row);
      if (made_.jobs.size() > limits::trace_rows_max)
        return fail(error_code::too_large, file_ + " has more than " + std::to_string(limits::trace_rows_max) + " jobs",
                    "leave some out with --where");
    }
    if (!problems_.empty())
      return fail(error{.code = error_code::invalid_argument,
                        .what = "the trace cannot be played",
                        .hint = "--where COLUMN=VALUE leaves other rows out",
                        .problems = std::move(problems_)});
    if (made_.jobs.empty())
      return fail(error_code::invalid_argument, file_ + " has no jobs" + (made_.left_out > 0 ? " that --where lets in" : ""));
    sort();
    if (made_.jobs.back().arrival - made_.jobs.front().arrival > std::chrono::seconds(limits::trace_seconds_max))
      return fail(error_code::too_large, "the jobs of " + file_ + " arrive over more than 100 years");
    return std::move(made_);
  }

private:
  using place = std::optional<std::size_t>;

  [[nodiscard]] error at_line(const std::string& what) const {
    return {.code = error_code::invalid_argument,
            .what = "the trace cannot be read",
            .problems = {{.where = {}, .what = what, .hint = {}, .file = file_, .line = rows_.line()}}};
  }

  result<void> find_columns() {
    std::vector<problem> missing;
    const auto find = [&](const std::optional<std::string>& wanted, const char* otherwise, const char* option) -> place {
      const std::string name = wanted.value_or(otherwise);
      const auto found = std::find(names_.begin(), names_.end(), name);
      if (found != names_.end())
        return static_cast<std::size_t>(found - names_.begin());
      if (wanted || option)
        missing.push_back({.where = name,
                           .what = "there is no such column",
                           .hint = option && !wanted ? std::string(option) + " names it" : config::did_you_mean(name, names_),
                           .file = file_,
                           .line = 1});
      return std::nullopt;
    };
    arrival_ = find(columns_.arrival, "arrival", "--arrival");
    duration_ = find(columns_.duration, "duration", "--duration");
    type_ = find(columns_.type, "type", nullptr);
    user_ = find(columns_.user, "user", nullptr);
    priority_ = find(columns_.priority, "priority", nullptr);
    items_ = find(columns_.items, "items", nullptr);
    for (const std::string& name : columns_.parameters)
      if (const auto at = find(name, "", nullptr))
        parameters_.push_back(*at);
    for (const auto& [name, value] : columns_.where)
      if (const auto at = find(name, "", nullptr))
        where_.emplace_back(*at, value);
    if (missing.empty())
      return {};
    return fail(error{.code = error_code::invalid_argument,
                      .what = "the trace lacks columns; it has " + config::joined(names_, ", "),
                      .problems = std::move(missing)});
  }

  void fault(std::size_t column, const std::string& value, const std::string& what) {
    problems_.push_back({.where = names_[column],
                         .what = what + ", is \"" + config::shortened(value) + "\"",
                         .hint = {},
                         .file = file_,
                         .line = rows_.line()});
  }

  void take(const std::vector<std::string>& row) {
    if (row.size() != names_.size()) {
      problems_.push_back({.where = {},
                           .what = "has " + std::to_string(row.size()) + " fields, and the first line names " +
                                   std::to_string(names_.size()) + " columns",
                           .hint = {},
                           .file = file_,
                           .line = rows_.line()});
      return;
    }
    for (const auto& [column, wanted] : where_)
      if (row[column] != wanted) {
        ++made_.left_out;
        return;
      }
    recorded_job job;
    const std::string& arrival = row[*arrival_];
    if (const auto seconds = duration_from_seconds(arrival, 1e11))
      job.arrival = instant{*seconds};
    else if (const auto time = time_from(arrival))
      job.arrival = *time;
    else
      fault(*arrival_, arrival, "must be seconds or a time such as 2026-01-31T12:00:00Z");
    if (const auto took = duration_from_seconds(row[*duration_], static_cast<double>(limits::run_seconds_max)))
      job.took = *took;
    else
      fault(*duration_, row[*duration_], "must be seconds, from 0 to " + std::to_string(limits::run_seconds_max));
    if (priority_ && !row[*priority_].empty()) {
      const auto priority = number_from(row[*priority_]);
      if (priority && *priority >= priority_min && *priority <= priority_max && *priority == std::floor(*priority))
        job.priority = static_cast<int>(*priority);
      else
        fault(*priority_, row[*priority_], "must be a whole number from 0 to 100");
    }
    if (items_ && !row[*items_].empty()) {
      const auto items = number_from(row[*items_]);
      if (items && *items >= 1 && *items <= 65'535 && *items == std::floor(*items))
        ++made_.in_parts;
      else
        fault(*items_, row[*items_], "must be a whole number from 1 to 65535");
    }
    if (const auto type = type_index_of(type_ ? row[*type_] : std::string("job")))
      job.type = *type;
    else
      fault(*type_, row[*type_], "must be one of at most " + std::to_string(limits::job_types_max) + " job types");
    if (user_)
      job.user = row[*user_];
    for (const std::size_t column : parameters_)
      set_parameter(job.params, names_[column], row[column]);
    made_.jobs.push_back(std::move(job));
    made_.lines.push_back(rows_.line());
  }

  std::optional<scheduling::type_index> type_index_of(const std::string& name) {
    const auto found = std::find(made_.types.begin(), made_.types.end(), name);
    if (found == made_.types.end() && made_.types.size() >= limits::job_types_max)
      return std::nullopt;
    const auto at = static_cast<scheduling::type_index>(found - made_.types.begin());
    if (found == made_.types.end())
      made_.types.push_back(name);
    return at;
  }

  void sort() {
    std::vector<std::size_t> order(made_.jobs.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return made_.jobs[a].arrival < made_.jobs[b].arrival; });
    std::vector<recorded_job> jobs;
    std::vector<int> lines;
    for (const std::size_t at : order) {
      jobs.push_back(std::move(made_.jobs[at]));
      lines.push_back(made_.lines[at]);
    }
    made_.jobs = std::move(jobs);
    made_.lines = std::move(lines);
  }

  csv_reader rows_;
  const std::string& file_;
  const trace_columns& columns_;
  std::vector<std::string> names_;
  place arrival_, duration_, type_, user_, priority_, items_;
  std::vector<std::size_t> parameters_;
  std::vector<std::pair<std::size_t, std::string>> where_;
  std::vector<problem> problems_;
  trace made_;
};

} // namespace

result<trace> read_trace(std::istream& in, const std::string& file, const trace_columns& columns) {
  return reader(in, file, columns).read();
}

} // namespace ferry::cli
