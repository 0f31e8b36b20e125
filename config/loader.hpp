// The steps of loading that are shared: the text of a file, its options, its job types.
#pragma once

#include "config/toml_reader.hpp"

namespace ferry::config {

// Errors: not_found, io, too_large.
[[nodiscard]] result<std::string> read_config_text(const std::filesystem::path& file);
// Errors: invalid_argument with the line and column of the fault.
[[nodiscard]] result<toml::table> parse_toml(std::string_view text, const std::filesystem::path& file);
// Everything but job types and default paths.
void read_options(toml_reader& reader, const toml::table& root, settings& out);
// Checks that concern several options or what a path turned out to be.
void check_settings(toml_reader& reader, const toml::table& root, settings& s);
// The `[job_types]` table (may be absent) and the built-in types.
void read_job_types(toml_reader& reader, const toml::node* table, settings& out);
// The job type that ferry always has.
[[nodiscard]] job_type built_in_command();

} // namespace ferry::config
