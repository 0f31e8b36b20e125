#include "scheduling/job_features.hpp"

#include "model/parameter_path.hpp"

#include <cmath>

namespace ferry::scheduling {
namespace {

std::vector<feature> values_at(const json& params, const std::vector<std::string>& paths) {
  std::vector<feature> values;
  for (const std::string& path : paths) {
    const json* found = find_parameter(params, path);
    if (found && found->is_array())
      values.push_back({path, static_cast<double>(found->size())});
    else if (found && found->is_number() && std::isfinite(found->get<double>()))
      values.push_back({path, found->get<double>()});
    else if (found && found->is_string())
      values.push_back({path, found->get<std::string>()});
    else
      values.push_back({path, found ? found->dump() : "null"});
  }
  return values;
}

} // namespace

job_features features_of(const config::estimate_rules& rules, const json& params, const std::string& warm, const std::string& user,
                         const std::string& device) {
  return {.parameters = values_at(params, rules.parameters),
          .hints = values_at(params, rules.hints),
          .warm = warm == "{}" ? std::string() : warm,
          .user = user,
          .device = device};
}

} // namespace ferry::scheduling
