// The keywords of JSON Schema draft 7 that ferry understands, and its own: x-order (schema_order.hpp).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ferry::config {

// What a keyword's value must be.
enum class form {
  schema,
  schemas,
  items,
  schema_map,
  dependencies,
  text,
  names,
  count,
  number,
  divisor,
  flag,
  types,
  choices,
  anything
};

struct keyword {
  const char* name;
  form value;
};

// The keyword of that name, or null.
[[nodiscard]] const keyword* find_keyword(std::string_view name);
[[nodiscard]] const std::vector<std::string>& keyword_names();
// Not needed to judge a value, or dealt with by check_schema.
[[nodiscard]] bool is_dropped_keyword(std::string_view name);
[[nodiscard]] const std::vector<std::string>& type_names();

} // namespace ferry::config
