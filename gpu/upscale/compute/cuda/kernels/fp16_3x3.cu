// 3×3 in fp16: what the networks consist of.
#include "gpu/upscale/compute/cuda/kernels/device_machine.cuh"

namespace ferry::upscale::cuda {

kernel fp16_3x3_kernel(int groups, int rows) {
  switch (groups * 100 + rows) {
  case 108: return kernel_of<fp16_numbers, 3, 1, 8>();
  case 116: return kernel_of<fp16_numbers, 3, 1, 16>();
  case 208: return kernel_of<fp16_numbers, 3, 2, 8>();
  case 216: return kernel_of<fp16_numbers, 3, 2, 16>();
  case 308: return kernel_of<fp16_numbers, 3, 3, 8>();
  case 316: return kernel_of<fp16_numbers, 3, 3, 16>();
  case 408: return kernel_of<fp16_numbers, 3, 4, 8>();
  case 416: return kernel_of<fp16_numbers, 3, 4, 16>();
  default: return {};
  }
}

} // namespace ferry::upscale::cuda
