#include "model/parameter_path.hpp"

#include <string>
#include <utility>

namespace ferry {

const nlohmann::json* find_parameter(const nlohmann::json& params, std::string_view path) {
  const nlohmann::json* at = &params;
  for (;;) {
    if (!at->is_object())
      return nullptr;
    const auto dot = path.find('.');
    const auto found = at->find(std::string(path.substr(0, dot)));
    if (found == at->end())
      return nullptr;
    at = &*found;
    if (dot == std::string_view::npos)
      return at;
    path.remove_prefix(dot + 1);
  }
}

nlohmann::json* find_parameter(nlohmann::json& params, std::string_view path) {
  return const_cast<nlohmann::json*>(find_parameter(std::as_const(params), path)); // NOLINT: it points into `params`
}

} // namespace ferry
