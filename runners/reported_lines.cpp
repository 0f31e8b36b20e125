#include "runners/reported_lines.hpp"

#include "config/limits.hpp"
#include "model/nesting.hpp"
#include "runners/metrics.hpp"

#include <algorithm>
#include <cmath>

namespace ferry::runners {
namespace {

// A result may be longer than any other line; it is bounded by itself, the rest of the line by the bound of lines.
constexpr std::size_t line_bytes_max = limits::result_bytes_max + limits::event_line_bytes_max;
constexpr std::size_t message_bytes_max = 1000;

// Cut between characters.
std::string bounded(std::string text) {
  if (text.size() <= message_bytes_max)
    return text;
  std::size_t end = message_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
    --end;
  text.resize(end);
  return text;
}

// A count of steps; programs write them as 4 and as 4.0. Nothing where it is missing or no count.
std::optional<std::int64_t> count_at(const json& said, const char* key) {
  const auto found = said.find(key);
  if (found == said.end() || !found->is_number())
    return std::nullopt;
  const double value = found->get<double>();
  return value >= 0 && value <= 9e15 ? std::optional(static_cast<std::int64_t>(value)) : std::nullopt;
}

progress progress_from(const json& said) {
  progress p;
  p.step = count_at(said, "step");
  p.total = count_at(said, "total");
  if (p.total == 0)
    p.total.reset();
  if (const auto value = said.find("value"); value != said.end() && value->is_number()) {
    if (const double fraction = value->get<double>(); fraction >= 0 && fraction <= 1)
      p.fraction = fraction;
  } else if (p.step && p.total) {
    p.fraction = std::min(1.0, static_cast<double>(*p.step) / static_cast<double>(*p.total));
  }
  if (const auto message = said.find("message"); message != said.end() && message->is_string())
    p.message = bounded(message->get<std::string>());
  if (const auto metrics = said.find("metrics"); metrics != said.end())
    p.metrics = metrics_from(*metrics);
  return p;
}

} // namespace

failure failure_from_report(const json& said) {
  const std::string kind = said.value("kind", std::string());
  std::string message = bounded(said.value("error", std::string()));
  if (message.empty())
    message = "the job reported that it failed and gave no reason";
  for (const failure_kind known : {failure_kind::oom, failure_kind::input, failure_kind::transient})
    if (to_string(known) == kind)
      return {known, std::move(message)};
  return {failure_kind::reported, std::move(message)};
}

reported_lines::reported_lines(const std::vector<run_job>& jobs)
    : ended_(jobs.size()), artifacts_(jobs.size()), lines_(line_bytes_max) {
  for (const run_job& job : jobs) {
    jobs_.push_back(job.id);
    directories_.push_back(job.dir);
  }
}

void reported_lines::feed(std::string_view bytes, instant now) {
  lines_.feed(bytes, [&](std::string_view text) { line(text, now); });
}

void reported_lines::end(instant now) {
  if (!lines_.pending().empty())
    feed("\n", now);
}

void reported_lines::line(std::string_view text, instant now) {
  if (text.find_first_not_of(" \t\r") == std::string_view::npos)
    return;
  if (!take(parse_bounded(text, limits::json_depth_max), now))
    ++ignored_;
}

bool reported_lines::take(const json& said, instant now) {
  try {
    return said.is_object() && understand(said, now);
  } catch (const json::exception&) { return false; } // a member of the wrong type
}

bool reported_lines::has_ended(job_id job) const {
  const auto at = std::find(jobs_.begin(), jobs_.end(), job);
  return at != jobs_.end() && ended_[static_cast<std::size_t>(at - jobs_.begin())];
}

std::vector<job_id> reported_lines::unended() const {
  std::vector<job_id> left;
  for (std::size_t i = 0; i < jobs_.size(); ++i)
    if (!ended_[i])
      left.push_back(jobs_[i]);
  return left;
}

void reported_lines::mark_ended(job_id job) {
  if (const auto at = std::find(jobs_.begin(), jobs_.end(), job); at != jobs_.end())
    ended_[static_cast<std::size_t>(at - jobs_.begin())] = true;
}

std::vector<job_id> reported_lines::jobs_of(job_id named) const {
  if (named.is_none())
    return jobs_;
  return std::find(jobs_.begin(), jobs_.end(), named) == jobs_.end() ? std::vector<job_id>{} : std::vector<job_id>{named};
}

bool reported_lines::understand(const json& said, instant now) {
  const std::string type = said.at("type").get<std::string>();
  // A reference, since a fraction would be converted, whether it fits or not.
  const job_id named{said.contains("job") ? said.at("job").get_ref<const std::int64_t&>() : 0};
  const auto about = jobs_of(named);
  if (about.empty())
    return false;
  if (type == "progress") {
    progress_[named] = {named, progress_from(said), now};
    any_progress_ = true;
    return true;
  }
  if (type == "artifact")
    return take_artifact(said, about.front());
  if (type == "checkpoint")
    return take_checkpoint(said, about.front(), now);
  if (type == "ready") {
    events_.emplace_back(run_loaded{named, now});
    return true;
  }
  if (type != "done" && type != "failed")
    return type == "log"; // a worker's line, which is in its output too
  bool any = false;
  for (const job_id job : about) {
    const auto index = static_cast<std::size_t>(std::find(jobs_.begin(), jobs_.end(), job) - jobs_.begin());
    if (ended_[index])
      continue;
    ended_[index] = true;
    any = true;
    if (type == "done")
      events_.emplace_back(run_job_done{job, said.value("result", json()), now});
    else
      events_.emplace_back(run_job_failed{job, failure_from_report(said), now});
  }
  return any;
}

bool reported_lines::take_artifact(const json& said, job_id job) {
  const auto index = static_cast<std::size_t>(std::find(jobs_.begin(), jobs_.end(), job) - jobs_.begin());
  const std::filesystem::path given = said.at("path").get<std::string>();
  const std::filesystem::path path =
      (given.is_absolute() ? given.lexically_relative(directories_[index]) : given).lexically_normal();
  const bool inside = !path.empty() && *path.begin() != ".." && path != ".";
  auto& list = artifacts_[index];
  if (!inside || list.size() >= limits::artifacts_listed_max)
    return false;
  if (std::find(list.begin(), list.end(), path.string()) == list.end())
    list.push_back(path.string());
  return true;
}

bool reported_lines::take_checkpoint(const json& said, job_id job, instant now) {
  const auto path = said.at("path").get<std::string>();
  if (path.empty() || path.size() > limits::checkpoint_path_bytes_max || path.find('\0') != std::string::npos)
    return false;
  events_.emplace_back(run_checkpoint{job, path, count_at(said, "step"), now});
  return true;
}

std::vector<run_event> reported_lines::take_events() { return std::exchange(events_, {}); }

std::vector<run_progressed> reported_lines::take_progress() {
  std::vector<run_progressed> taken;
  for (auto& [job, newest] : progress_)
    taken.push_back(std::move(newest));
  progress_.clear();
  return taken;
}

} // namespace ferry::runners
