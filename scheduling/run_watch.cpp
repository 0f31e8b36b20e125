#include "scheduling/run_watch.hpp"

#include <algorithm>
#include <cmath>

namespace ferry::scheduling {
namespace {

using namespace std::chrono_literals;
using config::metric_rule;

constexpr std::size_t steps_remembered = 101;
constexpr std::size_t steps_needed = 5;          // before a median means anything
constexpr std::int64_t held_memory_mib_min = 64; // a driver's own share is no job's memory
constexpr duration stall_min = 10s;              // steps of milliseconds may well be late by a hundred times their median

bool breaks(const metric_rule& rule, double value) {
  switch (rule.what) {
  case metric_rule::test::is_nan: return std::isnan(value);
  case metric_rule::test::is_inf: return std::isinf(value);
  case metric_rule::test::above: return value > rule.bound;
  case metric_rule::test::below: return value < rule.bound;
  }
  return false;
}

std::string number(double value) {
  if (std::isfinite(value))
    return json(value).dump();
  return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

} // namespace

std::optional<stop_reason> reason_to_stop(const finding& found) {
  if (found.action == config::watch_action::warn)
    return std::nullopt;
  return stop_reason{.cause = found.kind == failure_kind::metric ? stop_cause::metric : stop_cause::timeout,
                     .may_retry = found.action == config::watch_action::retry,
                     .why = found.why};
}

run_watch::run_watch(config::watch_rules rules, std::vector<metric_rule> metric_rules, instant started)
    : rules_(rules),
      metric_rules_(std::move(metric_rules)),
      times_broken_(metric_rules_.size()),
      last_value_(metric_rules_.size()),
      started_(started) {}

bool run_watch::is_needed(const config::watch_rules& rules, const std::vector<metric_rule>& metric_rules) {
  return rules.max_run_time.count() > 0 || rules.max_start_time.count() > 0 || rules.heartbeat.count() > 0 ||
         rules.stall_factor > 0 || rules.idle_gpu.count() > 0 || !metric_rules.empty();
}

void run_watch::sign_of_life(instant at) {
  if (!last_sign_ || at > *last_sign_)
    last_sign_ = at;
}

void run_watch::progressed(const progress& how_far, instant at) {
  sign_of_life(at);
  for (std::size_t i = 0; i < metric_rules_.size(); ++i)
    if (const auto value = how_far.metrics.find(metric_rules_[i].metric); value != how_far.metrics.end()) {
      times_broken_[i] = breaks(metric_rules_[i], value->second) ? times_broken_[i] + 1 : 0;
      last_value_[i] = value->second;
    }
  if (!how_far.step || (step_ && *how_far.step == *step_))
    return;
  if (step_ && *how_far.step > *step_) { // backwards: another phase of the job begins
    step_times_.push_back((at - step_at_) / (*how_far.step - *step_));
    if (step_times_.size() > steps_remembered)
      step_times_.pop_front();
  }
  step_ = how_far.step;
  step_at_ = at;
}

void run_watch::gpu_used(const device_reading& gpu, instant at) {
  if (!gpu.utilization_percent || !gpu.memory_used_mib)
    return;
  const bool busy = *gpu.utilization_percent > 0;
  const bool holds_memory = *gpu.memory_used_mib >= held_memory_mib_min;
  if (busy || !holds_memory)
    gpu_idle_since_.reset();
  else if (!gpu_idle_since_)
    gpu_idle_since_ = at;
}

// Until the first sign of life max_start_time counts, where there is one.
bool run_watch::heartbeat_counts() const {
  return rules_.heartbeat.count() > 0 && (last_sign_ || rules_.max_start_time.count() == 0);
}

std::optional<duration> run_watch::median_step() const {
  if (step_times_.size() < steps_needed)
    return std::nullopt;
  std::vector<duration> sorted(step_times_.begin(), step_times_.end());
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  return *middle;
}

std::optional<instant> run_watch::stall_limit() const {
  const auto median = median_step();
  if (rules_.stall_factor <= 0 || !median)
    return std::nullopt;
  return step_at_ + std::max(*median * rules_.stall_factor, stall_min);
}

void run_watch::check(std::vector<finding>& found, std::string_view rule, bool broken, config::watch_action action,
                      failure_kind kind, std::string why) {
  auto said = said_.find(rule);
  if (said == said_.end())
    said = said_.emplace(rule, false).first;
  if (broken && !said->second)
    found.push_back({std::string(rule), action, kind, std::move(why)});
  said->second = broken;
}

std::vector<finding> run_watch::look(instant now) {
  std::vector<finding> found;
  constexpr auto time = failure_kind::timeout;
  const auto since_start = now - started_;
  const auto silent = now - last_sign_.value_or(started_);
  if (rules_.max_run_time.count() > 0)
    check(found, "max_run_time", since_start >= rules_.max_run_time, rules_.on_max_run_time, time,
          "ran longer than max_run_time " + to_words(rules_.max_run_time));
  if (rules_.max_start_time.count() > 0)
    check(found, "max_start_time", !last_sign_ && since_start >= rules_.max_start_time, rules_.on_max_start_time, time,
          "gave no sign of life within max_start_time " + to_words(rules_.max_start_time));
  if (heartbeat_counts())
    check(found, "heartbeat", silent >= rules_.heartbeat, rules_.on_heartbeat, time,
          "gave no sign of life (event, progress or output) for " + to_words(silent) + "; heartbeat is " +
              to_words(rules_.heartbeat));
  if (const auto limit = stall_limit())
    check(found, "stall_factor", now >= *limit, rules_.on_stall, time,
          "no step since step " + std::to_string(step_.value_or(0)) + " for " + to_words(now - step_at_) + ", more than " +
              std::to_string(rules_.stall_factor) + " times the median step time of " + to_words(*median_step()));
  if (rules_.idle_gpu.count() > 0)
    check(found, "idle_gpu", gpu_idle_since_ && now - *gpu_idle_since_ >= rules_.idle_gpu, rules_.on_idle_gpu, time,
          "held memory of its GPU and left it at 0% use for longer than idle_gpu " + to_words(rules_.idle_gpu));
  for (std::size_t i = 0; i < metric_rules_.size(); ++i) {
    const metric_rule& rule = metric_rules_[i];
    check(found, rule.text, times_broken_[i] >= rule.times, rule.action, failure_kind::metric,
          rule.metric + " is " + number(last_value_[i]) + (step_ ? " at step " + std::to_string(*step_) : "") +
              ", which the rule \"" + rule.text + "\" forbids");
  }
  return found;
}

std::optional<instant> run_watch::next_look() const {
  std::optional<instant> next;
  const auto said = [this](std::string_view rule) {
    const auto found = said_.find(rule);
    return found != said_.end() && found->second;
  };
  const auto at = [&](std::string_view rule, instant when) {
    if (!said(rule) && (!next || when < *next))
      next = when;
  };
  if (rules_.max_run_time.count() > 0)
    at("max_run_time", started_ + rules_.max_run_time);
  if (rules_.max_start_time.count() > 0 && !last_sign_)
    at("max_start_time", started_ + rules_.max_start_time);
  if (heartbeat_counts())
    at("heartbeat", last_sign_.value_or(started_) + rules_.heartbeat);
  if (const auto limit = stall_limit())
    at("stall_factor", *limit);
  if (rules_.idle_gpu.count() > 0 && gpu_idle_since_)
    at("idle_gpu", *gpu_idle_since_ + rules_.idle_gpu);
  return next;
}

} // namespace ferry::scheduling
