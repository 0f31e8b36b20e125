// 1×1 and 5×5 in fp16.
#include "gpu/upscale/compute/cuda/kernels/device_machine.cuh"

namespace ferry::upscale::cuda {

kernel fp16_1x1_kernel(int groups, int rows) {
  switch (groups * 100 + rows) {
  case 208: return kernel_of<fp16_numbers, 1, 2, 8>();
  case 216: return kernel_of<fp16_numbers, 1, 2, 16>();
  case 408: return kernel_of<fp16_numbers, 1, 4, 8>();
  case 416: return kernel_of<fp16_numbers, 1, 4, 16>();
  default: return {};
  }
}

kernel fp16_5x5_kernel(int groups, int rows) {
  switch (groups * 100 + rows) {
  case 208: return kernel_of<fp16_numbers, 5, 2, 8>();
  case 216: return kernel_of<fp16_numbers, 5, 2, 16>();
  default: return {};
  }
}

} // namespace ferry::upscale::cuda
