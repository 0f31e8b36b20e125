// Checks a job type's JSON Schema (draft 7) and brings it into the form that validation uses: local references expanded, objects
// closed unless they speak of additionalProperties, `format` dropped (it is an annotation: valijson would reject by it).
// Keywords whose cost the value decides must be bounded: `pattern` needs maxLength, `uniqueItems` needs maxItems.
#pragma once

#include "model/error.hpp"
#include "model/job.hpp"

#include <map>
#include <memory>
#include <regex>
#include <string>
#include <vector>

namespace ferry::config {

using pattern_table = std::map<std::string, std::regex>;

struct checked_schema {
  json normal;                               // what values are judged by
  pattern_table patterns;                    // every pattern of the schema, compiled
  std::vector<std::string> job_result_paths; // dotted paths of properties with format "job-result"
};

// Errors: invalid_argument with a problem for each fault (where: JSON pointer into the schema as given).
[[nodiscard]] result<checked_schema> check_schema(const json& schema);

} // namespace ferry::config
