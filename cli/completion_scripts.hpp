// Completions for shells, made from what the verbs declare. Job types, ids and names are asked of the daemon when they are needed.
#pragma once

#include "model/error.hpp"

#include <string>

namespace ferry::cli {

// The script for "bash", "zsh" or "fish". Errors: invalid_argument for another shell.
[[nodiscard]] result<std::string> completion_script(const std::string& shell);

} // namespace ferry::cli
