// The order in which a schema's properties are written. JSON objects have none, so it goes along as a keyword of ferry's own:
// `x-order`, the names of an object's properties, first to last. Whoever shows parameters (forms, `ferry types`) goes by it.
#pragma once

#include "model/job.hpp"

#include <toml++/toml.h>

namespace ferry::config {

// Adds x-order to every object of the schema that has properties and does not say it itself, from where they stand in the file.
// `written` is what `schema` was read from.
void add_written_order(json& schema, const toml::node& written);

} // namespace ferry::config
