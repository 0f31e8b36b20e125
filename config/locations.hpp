// Where files are when the configuration does not say.
#pragma once

#include "config/settings.hpp"

#include <filesystem>

namespace ferry::config {

// $HOME, else what the user database says.
[[nodiscard]] std::filesystem::path home_directory();

// Fills in the paths that were left empty.
void fill_default_paths(settings& s);

} // namespace ferry::config
