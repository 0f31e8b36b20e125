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

constexpr double items_max = 65'535; // that are told apart

double items_in(const json* value) {
  if (value && value->is_array())
    return static_cast<double>(value->size());
  return value && value->is_number() ? std::ceil(value->get<double>()) : 1;
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
  const json* items = type.batch.items.empty() ? nullptr : find_parameter(params, type.batch.items);
  const double count = items_in(items);
  traits.items = static_cast<int>(std::clamp(count, 1.0, items_max));
  traits.is_divisible =
      type.batch.split && type.batch.max_items > 1 && items && items->is_array() && count > 1 && count <= items_max;
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
