// Says in plain words how a value breaks a schema, with the value and the bound; valijson only says that it does.
#pragma once

#include "config/schema_check.hpp"

namespace ferry::config {

// Every violation of a normal schema (see schema_check.hpp), at most limits::problems_max of them; empty when the value obeys it.
[[nodiscard]] std::vector<problem> violations(const json& schema, const pattern_table& patterns, const json& value);

// Whether the value obeys the schema; stops at the first violation.
[[nodiscard]] bool obeys(const json& schema, const pattern_table& patterns, const json& value);

// A reference token of a JSON pointer (RFC 6901).
[[nodiscard]] std::string pointer_token(std::string_view key);

} // namespace ferry::config
