#include "gpu/upscale/compute/cuda/kernels/kernels.hpp"

namespace ferry::upscale::cuda {

kernel find_kernel(const kernel_variant& variant) {
  switch (variant.precision) {
  case precision::fp16:
    switch (variant.kernel) {
    case 1: return fp16_1x1_kernel(variant.groups, variant.rows);
    case 3: return fp16_3x3_kernel(variant.groups, variant.rows);
    case 5: return fp16_5x5_kernel(variant.groups, variant.rows);
    default: return {};
    }
  case precision::tf32: return tf32_kernel(variant.kernel, variant.groups, variant.rows);
  case precision::fp32: return fp32_kernel(variant.kernel, variant.groups, variant.rows);
  }
  return {};
}

} // namespace ferry::upscale::cuda
