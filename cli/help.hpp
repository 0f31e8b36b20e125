// What `ferry help` prints, made from the verbs' own declarations.
#pragma once

#include "cli/verb.hpp"

#include <string>

namespace ferry::cli {

[[nodiscard]] std::string overview();
[[nodiscard]] std::string verb_help(const verb& v);

} // namespace ferry::cli
