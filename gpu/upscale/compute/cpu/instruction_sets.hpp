// Which kernels this processor and its operating system can run.
#pragma once

#include "gpu/upscale/compute/cpu/cpu_engine.hpp"
#include "gpu/upscale/compute/cpu/kernels.hpp"

namespace ferry::upscale {

[[nodiscard]] const char* name_of(instruction_set set);

// `set` is at most best_instruction_set().
[[nodiscard]] const kernels::table& kernels_for(instruction_set set);

} // namespace ferry::upscale
