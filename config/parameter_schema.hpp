// A job type's parameters: a JSON Schema (draft 7, checked by valijson), with two habits of ferry's own:
// an object schema that does not speak of `additionalProperties` forbids them, and `default` values are filled in.
// `default` in then/else counts where the condition holds or not. Only references inside the schema are followed; `pattern` needs a
// maxLength, `uniqueItems` a maxItems beside it, so that no value makes validation expensive. `format` is an annotation:
// a string property with `format = "job-result"` also takes "job:<id>": the result of an earlier job, resolved when it starts.
#pragma once

#include "model/error.hpp"
#include "model/job.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ferry::config {

// Whether validated parameters hold a value at a dotted path.
enum class presence { never, sometimes, always };

class parameter_schema {
public:
  parameter_schema(); // accepts any object
  // Errors: invalid_argument, with a problem for each fault of the schema itself.
  [[nodiscard]] static result<parameter_schema> compile(const json& schema);

  // Parameters with their defaults filled in, or every violation (where: JSON pointer such as /num_steps), the nearest known name
  // as the hint for an unknown one. Thread-safe.
  [[nodiscard]] result<json> validate(json params) const;

  // Dotted paths of properties whose format is "job-result".
  [[nodiscard]] const std::vector<std::string>& job_result_paths() const;
  [[nodiscard]] presence presence_of(std::string_view dotted_path) const;
  // Dotted paths of every property that the schema names.
  [[nodiscard]] std::vector<std::string> property_paths() const;
  // The schema as given.
  [[nodiscard]] const json& source() const;

private:
  struct compiled;
  std::shared_ptr<const compiled> compiled_;
};

} // namespace ferry::config
