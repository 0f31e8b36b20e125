// Which convolution kernels are built. A network's layer takes the one that wastes least.
#pragma once

#include "gpu/upscale/compute/cuda/cuda_engine.hpp"

namespace ferry::upscale::cuda {

struct kernel_variant {
  enum precision precision = precision::fp16;
  int kernel = 3; // taps across
  int groups = 2; // of 16 output channels, a block
  int rows = 16;  // of a block's tile of pixels

  bool operator==(const kernel_variant&) const = default;
};

// Every combination that is built; `is_built` and the list in kernels/ are compared by a test. Few for what is rare (5×5, and
// precisions that exist for comparison), so that compiling stays quick.
[[nodiscard]] constexpr bool is_built(const kernel_variant& variant) {
  if (variant.rows != 8 && variant.rows != 16)
    return false;
  switch (variant.precision) {
  case precision::fp16:
    return (variant.kernel == 3 && variant.groups >= 1 && variant.groups <= 4) ||
           (variant.kernel == 1 && (variant.groups == 2 || variant.groups == 4)) || (variant.kernel == 5 && variant.groups == 2);
  case precision::tf32:
    return (variant.kernel == 3 && (variant.groups == 2 || variant.groups == 4)) ||
           ((variant.kernel == 1 || variant.kernel == 5) && variant.groups == 2);
  case precision::fp32:
    return (variant.kernel == 1 || variant.kernel == 3 || variant.kernel == 5) && variant.groups == 2 && variant.rows == 16;
  }
  return false;
}

} // namespace ferry::upscale::cuda
