#include "http/metric_series.hpp"

#include "config/limits.hpp"
#include "runners/metrics.hpp"
#include "runners/run_directory.hpp"

#include <algorithm>
#include <cmath>
#include <fcntl.h>
#include <sys/stat.h>

namespace ferry::http {
namespace {

constexpr std::size_t piece_bytes = 64 * 1024; // about a millisecond's work
constexpr std::size_t pieces_max = limits::metric_file_bytes_max / piece_bytes;

json or_null(const std::optional<std::int64_t>& value) { return value ? json(*value) : json(nullptr); }
json or_null(const std::optional<double>& value) { return value && std::isfinite(*value) ? json(*value) : json(nullptr); }

std::optional<std::int64_t> count_at(const json& said, const char* key) {
  const auto found = said.find(key);
  if (found == said.end() || !found->is_number())
    return std::nullopt;
  const auto value = found->get<double>();
  return value >= 0 && value <= 9e15 ? std::optional(static_cast<std::int64_t>(value)) : std::nullopt;
}

// An object of that type with such a member; looked for as text first, for most lines are none.
json line_of(std::string_view line, std::string_view type, std::string_view member = {}) {
  if (line.find(type) == line.npos || line.find(member) == line.npos)
    return nullptr;
  json said = json::parse(line, nullptr, false);
  const bool is_it = said.is_object() && said.contains("type") && said["type"] == type;
  return is_it ? said : json(nullptr);
}

} // namespace

void thinned_points::add(const metric_point& point) {
  last_ = point;
  if (seen_++ % stride_ != 0)
    return;
  kept_.push_back(point);
  if (kept_.size() < 2 * most_)
    return;
  for (std::size_t i = 0; 2 * i < kept_.size(); ++i)
    kept_[i] = kept_[2 * i];
  kept_.resize((kept_.size() + 1) / 2);
  stride_ *= 2;
}

std::vector<metric_point> thinned_points::take() const {
  auto all = kept_;
  if (seen_ > 0 && (seen_ - 1) % stride_ != 0)
    all.push_back(last_);
  if (all.size() <= most_)
    return all;
  if (most_ == 1)
    return {last_};
  std::vector<metric_point> some;
  for (std::size_t i = 0; i < most_; ++i)
    some.push_back(all[i * (all.size() - 1) / (most_ - 1)]);
  return some;
}

piecewise_lines::piecewise_lines(const std::filesystem::path& folder, const char* name) : lines_(limits::event_line_bytes_max) {
  const auto directory = runners::open_directory(folder);
  if (!directory) // the run was removed
    return;
  // The job may have put anything there: a link is not followed, a pipe not waited for.
  runners::descriptor file(::openat(directory.get(), name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY));
  struct stat info {};
  if (!file || ::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode))
    return;
  file_ = std::move(file);
  bytes_ = static_cast<std::uint64_t>(info.st_size);
  is_whole_ = bytes_ <= limits::metric_file_bytes_max;
  pieces_ = std::min<std::size_t>((bytes_ + piece_bytes - 1) / piece_bytes, pieces_max);
  room_.resize(piece_bytes);
}

std::string_view piecewise_lines::next_piece() {
  const auto number = next_++;
  auto offset = std::uint64_t{number} * piece_bytes;
  if (!is_whole_) {
    offset = number * (bytes_ - piece_bytes) / (pieces_max - 1);
    if (number > 0)
      lines_.lose_place();
  }
  const auto wanted = std::min<std::uint64_t>(piece_bytes, bytes_ - offset);
  const auto size = ::pread(file_.get(), room_.data(), wanted, static_cast<off_t>(offset));
  if (size <= 0) {
    next_ = pieces_; // it has become shorter: there is nothing more
    return {};
  }
  return {room_.data(), static_cast<std::size_t>(size)};
}

bool metric_series::speaks_of_it(const json& said) const {
  const auto named = said.find("job");
  return named == said.end() || *named == job_.value || *named == 0;
}

void metric_series::add(by_name& series, const json& said, std::optional<std::int64_t> step, std::optional<double> seconds) {
  const auto metrics = said.find("metrics");
  if (metrics == said.end())
    return;
  for (const auto& [name, value] : runners::metrics_from(*metrics)) {
    auto found = series.find(name);
    if (found == series.end()) {
      if (series.size() >= limits::metric_series_max) {
        has_all_names_ = false;
        continue;
      }
      found = series.emplace(name, thinned_points(points_)).first;
    }
    found->second.add({step, value, seconds});
  }
}

void metric_series::take_event(std::string_view line) {
  if (!started_ms_)
    if (const auto started = line_of(line, "started");
        started.is_object() && started.contains("at") && started["at"].is_number_integer())
      started_ms_ = started["at"].get<std::int64_t>();
  const auto said = line_of(line, "progress");
  if (!said.is_object() || !speaks_of_it(said) || !said.contains("at") || !said["at"].is_number_integer())
    return;
  const auto at = said["at"].get<std::int64_t>();
  const auto seconds = static_cast<double>(at - started_ms_.value_or(at)) / 1000;
  const auto step = count_at(said, "step");
  if (step && (times_.empty() || *step > times_.back().first))
    times_.emplace_back(*step, seconds);
  add(timed_, said, step, seconds);
}

void metric_series::take_report(std::string_view line) {
  const auto said = line_of(line, "progress", "metrics");
  if (!said.is_object() || !speaks_of_it(said))
    return;
  if (const auto step = count_at(said, "step"))
    add(reported_, said, step, std::nullopt);
}

// Between the two steps of which it is known; before the first one nothing is, behind the last one it goes on as before.
std::optional<double> metric_series::seconds_at(std::int64_t step) const {
  const auto after =
      std::lower_bound(times_.begin(), times_.end(), step, [](const auto& one, std::int64_t s) { return one.first < s; });
  if (after != times_.end() && after->first == step)
    return after->second;
  if (after == times_.begin() || times_.size() < 2)
    return std::nullopt;
  const auto right_at = after == times_.end() ? after - 1 : after;
  const auto& right = *right_at;
  const auto& left = *(right_at - 1);
  return left.second +
         (right.second - left.second) * static_cast<double>(step - left.first) / static_cast<double>(right.first - left.first);
}

json metric_series::to_json(bool is_whole) const {
  const bool has_reports = !reported_.empty();
  json series = json::array();
  for (const auto& [name, points] : has_reports ? reported_ : timed_) {
    json list = json::array();
    for (const auto& point : points.take())
      list.push_back(json::array({or_null(point.step), or_null(std::optional(point.value)),
                                  or_null(has_reports ? seconds_at(*point.step) : point.seconds)}));
    series.push_back({{"name", name}, {"points", std::move(list)}});
  }
  return {{"series", std::move(series)}, {"is_whole", is_whole && has_all_names_}};
}

} // namespace ferry::http
