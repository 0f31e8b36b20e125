#include "scheduling/batch_traits.hpp"

#include "model/parameter_path.hpp"

#include <algorithm>
#include <cmath>

namespace ferry::scheduling {
namespace {

json value_at(const json& params, const std::string& path) {
  const json* found = find_parameter(params, path);
  return found ? *found : json();
}

bool is_zero(const json& value) {
  return value.is_null() || (value.is_number() && value.get<double>() == 0) || (value.is_boolean() && !value.get<bool>());
}

json keys_at(const json& params, const std::string& path) {
  json keys = json::array();
  if (const json* object = find_parameter(params, path); object && object->is_object())
    for (const auto& [key, value] : object->items()) // in the order of their names
      if (!is_zero(value))
        keys.push_back(key);
  return keys;
}

int items_of(const json& params, const std::string& path) {
  const json* found = path.empty() ? nullptr : find_parameter(params, path);
  double count = 1;
  if (found && found->is_array())
    count = static_cast<double>(found->size());
  else if (found && found->is_number())
    count = std::ceil(found->get<double>());
  return static_cast<int>(std::clamp(count, 1.0, 65'535.0));
}

} // namespace

bool has_traits(const config::job_type& type) {
  return type.batch.max_items > 1 || !type.worker.warm_key.empty() || !type.batch.items.empty();
}

bool reads_parameters(const config::job_type& type) {
  return has_traits(type) || !type.estimate.parameters.empty() || !type.estimate.hints.empty();
}

batch_traits traits_of(const config::job_type& type, const json& params) {
  batch_traits traits;
  json warm = json::object(), exact = json::array();
  for (const std::string& path : type.worker.warm_key)
    warm[path] = value_at(params, path);
  for (const std::string& path : type.batch.same)
    exact.push_back(value_at(params, path));
  for (const std::string& path : type.batch.same_keys)
    exact.push_back(keys_at(params, path));
  for (const auto& [path, tolerance] : type.batch.within) {
    const json value = value_at(params, path);
    traits.tolerated.push_back(value.is_number() ? value.get<double>() : 0);
  }
  traits.warm = warm.dump();
  traits.exact = exact.dump();
  traits.items = items_of(params, type.batch.items);
  return traits;
}

bool may_share(const config::batch_rules& rules, const std::vector<double>& a, const std::vector<double>& b) {
  // Decimal fractions are not exact: 0.3 and 0.4 are 0.1 apart.
  constexpr double slack = 1e-9;
  std::size_t i = 0;
  for (const auto& [path, tolerance] : rules.within) {
    if (i >= a.size() || i >= b.size() || !(std::abs(a[i] - b[i]) <= tolerance + slack))
      return false;
    ++i;
  }
  return true;
}

} // namespace ferry::scheduling
