// Starts a run's process: own session and process group, default signals, the environment and directory of the spec and nothing
// else.
#pragma once

#include "runners/run_spec.hpp"

namespace ferry::runners {

// The pid. `output` becomes standard output and standard error. Errors: invalid_argument with a sentence for the user.
[[nodiscard]] result<int> start_process(const run_spec& spec, int output);

} // namespace ferry::runners
