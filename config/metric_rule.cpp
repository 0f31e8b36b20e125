#include "config/limits.hpp"
#include "config/watch_rules.hpp"

#include <regex>

namespace ferry::config {

std::string_view to_string(watch_action action) {
  switch (action) {
  case watch_action::warn: return "warn";
  case watch_action::retry: return "retry";
  case watch_action::fail: return "fail";
  }
  return "fail";
}

result<metric_rule> parse_metric_rule(std::string_view text) {
  static const std::regex form(
      R"(\s*([A-Za-z_][A-Za-z0-9_./-]*)\s+(?:is\s+(nan|inf)|([<>])\s*([-+]?[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?))(?:\s+for\s+([1-9][0-9]{0,5}))?\s*:\s*(warn|retry|fail)\s*)");
  const auto refuse = [&](const std::string& what) {
    return fail(error_code::invalid_argument, what,
                "write \"loss is nan: fail\", \"loss > 100 for 3: warn\" or \"lr < 1e-9: retry\"");
  };
  if (text.size() > 300)
    return refuse("a rule is at most 300 bytes long");
  std::cmatch found;
  if (!std::regex_match(text.data(), text.data() + text.size(), found, form))
    return refuse("is not a rule: \"" + std::string(text) + "\"");
  metric_rule rule;
  rule.metric = found[1];
  if (rule.metric.size() > limits::metric_name_bytes_max)
    return refuse("the name of a metric is at most " + std::to_string(limits::metric_name_bytes_max) + " bytes long");
  if (found[2].matched) {
    rule.what = found[2] == "nan" ? metric_rule::test::is_nan : metric_rule::test::is_inf;
  } else {
    rule.what = found[3] == ">" ? metric_rule::test::above : metric_rule::test::below;
    rule.bound = std::stod(found[4]);
  }
  if (found[5].matched)
    rule.times = std::stoi(found[5]);
  rule.action = found[6] == "warn" ? watch_action::warn : found[6] == "retry" ? watch_action::retry : watch_action::fail;
  rule.text = std::string(text);
  return rule;
}

} // namespace ferry::config
