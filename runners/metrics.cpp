#include "runners/metrics.hpp"

#include "config/limits.hpp"

#include <cmath>
#include <limits>
#include <optional>

namespace ferry::runners {
namespace {

std::optional<double> number_from(const json& value) {
  if (value.is_number())
    return value.get<double>();
  if (!value.is_string())
    return std::nullopt;
  const std::string text = value.get<std::string>();
  if (text == "nan" || text == "NaN" || text == "-nan")
    return std::numeric_limits<double>::quiet_NaN();
  if (text == "inf" || text == "Infinity")
    return std::numeric_limits<double>::infinity();
  if (text == "-inf" || text == "-Infinity")
    return -std::numeric_limits<double>::infinity();
  return std::nullopt;
}

} // namespace

json metrics_to_json(const std::map<std::string, double>& metrics) {
  json said = json::object();
  for (const auto& [name, value] : metrics) {
    if (std::isfinite(value))
      said[name] = value;
    else
      said[name] = std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
  }
  return said;
}

std::map<std::string, double> metrics_from(const json& said) {
  std::map<std::string, double> metrics;
  if (!said.is_object())
    return metrics;
  for (const auto& [name, value] : said.items())
    if (const auto number = number_from(value);
        number && name.size() <= limits::metric_name_bytes_max && metrics.size() < limits::metrics_max)
      metrics.emplace(name, *number);
  return metrics;
}

} // namespace ferry::runners
