// Weights in the order in which the kernels read them (kernels.hpp), zero where a block has fewer channels than lanes.
#pragma once

#include "gpu/upscale/compute/cpu/plan.hpp"

#include <vector>

namespace ferry::upscale {

// How many channels each source plane of a step holds.
struct source_lanes {
  std::vector<int> channels;
};

// Fills in weights, bias, groups and the sizes of planned.how, which is chosen already.
void pack(const convolution& step, const source_lanes& sources, const kernels::table& kernels, step_plan& planned);

} // namespace ferry::upscale
