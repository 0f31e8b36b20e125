// What of `[devices.slurm]` no bound of a single option can tell.
#pragma once

#include "config/settings.hpp"
#include "config/toml_reader.hpp"

namespace ferry::config {

void check_slurm(toml_reader& reader, const toml::table& root, const settings& s);
// Once the job types are known.
void check_slurm_types(toml_reader& reader, const toml::table& root, const settings& s);

} // namespace ferry::config
