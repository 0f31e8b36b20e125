// Fills in the defaults of a normal schema (see schema_check.hpp): of members that are missing, then of members inside objects that
// are there or were filled in. Defaults in allOf count; those in then/else count where the condition holds or not.
#pragma once

#include "config/schema_check.hpp"

namespace ferry::config {

class default_plan {
public:
  default_plan() = default;
  explicit default_plan(const json& schema);

  void fill(json& value, const pattern_table& patterns) const;
  [[nodiscard]] bool is_empty() const { return parts_ == nullptr; }

private:
  struct parts;
  std::shared_ptr<const parts> parts_; // none: nothing to fill in
};

} // namespace ferry::config
