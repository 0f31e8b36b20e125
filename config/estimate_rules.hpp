// What the duration of a type's jobs depends on, as `[job_types.<name>.estimate]` declares it. Parameters are named by dotted path.
#pragma once

#include <string>
#include <vector>

namespace ferry::config {

struct estimate_rules {
  std::vector<std::string> parameters; // that matter: steps, frames, width, a mode
  std::vector<std::string> hints;      // that matter a little, and mostly by who sends them: a prompt, by its length
};

} // namespace ferry::config
