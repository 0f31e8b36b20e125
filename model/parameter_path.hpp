// Parameters by dotted path: "weights.vis" is member vis of the object weights.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

namespace ferry {

// Null: there is none.
[[nodiscard]] const nlohmann::json* find_parameter(const nlohmann::json& params, std::string_view path);
[[nodiscard]] nlohmann::json* find_parameter(nlohmann::json& params, std::string_view path);

} // namespace ferry
