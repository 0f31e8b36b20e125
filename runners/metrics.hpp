// Metrics as JSON: numbers by name. JSON has no NaN and no infinity, so they are the texts "nan", "inf" and "-inf".
#pragma once

#include "model/job.hpp"

#include <map>
#include <string>

namespace ferry::runners {

[[nodiscard]] json metrics_to_json(const std::map<std::string, double>& metrics);
// What is no number is left out, as are metrics beyond limits::metrics_max and those with longer names than
// limits::metric_name_bytes_max.
[[nodiscard]] std::map<std::string, double> metrics_from(const json& said);

} // namespace ferry::runners
