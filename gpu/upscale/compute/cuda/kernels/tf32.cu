// tf32: products of 10-bit fractions, activations in fp32.
#include "gpu/upscale/compute/cuda/kernels/device_machine.cuh"

namespace ferry::upscale::cuda {

kernel tf32_kernel(int taps_across, int groups, int rows) {
  switch (taps_across * 1000 + groups * 100 + rows) {
  case 1208: return kernel_of<tf32_numbers, 1, 2, 8>();
  case 1216: return kernel_of<tf32_numbers, 1, 2, 16>();
  case 3208: return kernel_of<tf32_numbers, 3, 2, 8>();
  case 3216: return kernel_of<tf32_numbers, 3, 2, 16>();
  case 3408: return kernel_of<tf32_numbers, 3, 4, 8>();
  case 3416: return kernel_of<tf32_numbers, 3, 4, 16>();
  case 5208: return kernel_of<tf32_numbers, 5, 2, 8>();
  case 5216: return kernel_of<tf32_numbers, 5, 2, 16>();
  default: return {};
  }
}

} // namespace ferry::upscale::cuda
