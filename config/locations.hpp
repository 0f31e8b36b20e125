// Where files are and who people are when the configuration does not say.
#pragma once

#include "config/settings.hpp"

#include <filesystem>
#include <string>

namespace ferry::config {

// $HOME, else what the user database says.
[[nodiscard]] std::filesystem::path home_directory();

// What a user of this machine is called, by their numeric id: as /etc/passwd has it, else the number.
[[nodiscard]] std::string login_name(unsigned id);

// Where `ferry certs` keeps the certificates of nodes: $XDG_CONFIG_HOME/ferry/certs, else ~/.config/ferry/certs.
[[nodiscard]] std::filesystem::path certificates_folder();

// Fills in the paths that were left empty.
void fill_default_paths(settings& s);

} // namespace ferry::config
