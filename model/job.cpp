#include "model/job.hpp"
#include "model/facts.hpp"

#include <array>

namespace ferry {
namespace {

constexpr std::array<std::pair<failure_kind, std::string_view>, 12> failure_names{{
    {failure_kind::exit_status, "exit_status"},
    {failure_kind::signal, "signal"},
    {failure_kind::oom, "oom"},
    {failure_kind::timeout, "timeout"},
    {failure_kind::input, "input"},
    {failure_kind::launch, "launch"},
    {failure_kind::lost, "lost"},
    {failure_kind::reported, "reported"},
    {failure_kind::transient, "transient"},
    {failure_kind::device, "device"},
    {failure_kind::metric, "metric"},
    {failure_kind::needs, "needs"},
}};

} // namespace

std::string_view to_string(failure_kind kind) {
  for (const auto& [k, name] : failure_names)
    if (k == kind)
      return name;
  return "unknown";
}

std::optional<failure_kind> failure_kind_from(std::string_view name) {
  for (const auto& [kind, n] : failure_names)
    if (n == name)
      return kind;
  return std::nullopt;
}

std::string_view to_string(needs_rule rule) {
  switch (rule) {
  case needs_rule::hold: return "hold";
  case needs_rule::cancel: return "cancel";
  case needs_rule::start: return "start";
  }
  return "unknown";
}

std::optional<needs_rule> needs_rule_from(std::string_view name) {
  for (const needs_rule rule : all_needs_rules)
    if (to_string(rule) == name)
      return rule;
  return std::nullopt;
}

std::string_view to_string(attempt_end how) {
  switch (how) {
  case attempt_end::retried: return "retried";
  case attempt_end::continued: return "continued";
  case attempt_end::preempted: return "preempted";
  case attempt_end::suspended: return "suspended";
  case attempt_end::regrouped: return "regrouped";
  case attempt_end::part_done: return "part_done";
  }
  return "unknown";
}

} // namespace ferry
