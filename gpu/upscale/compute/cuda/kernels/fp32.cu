// Plain fp32 without tensor cores, the yardstick for the other two; and the way in, from float pictures to planes.
#include "gpu/upscale/compute/cuda/input_body.hpp"
#include "gpu/upscale/compute/cuda/kernels/device_machine.cuh"

namespace ferry::upscale::cuda {

kernel fp32_kernel(int taps_across, int groups, int rows) {
  switch (taps_across * 1000 + groups * 100 + rows) {
  case 1216: return kernel_of<fp32_numbers, 1, 2, 16>();
  case 3216: return kernel_of<fp32_numbers, 3, 2, 16>();
  case 5216: return kernel_of<fp32_numbers, 5, 2, 16>();
  default: return {};
  }
}

namespace {

template <class Numbers>
__global__ void __launch_bounds__(input_threads) fill_input(const __grid_constant__ input_parameters p) {
  device_machine machine{0};
  machine.launch_next();
  const std::uint64_t pixel = static_cast<std::uint64_t>(blockIdx.x) * input_threads + threadIdx.x;
  machine.wait_for_previous();
  if (pixel < p.pixels)
    fill_pixel<Numbers>(machine, p, pixel);
}

} // namespace

const void* input_kernel(enum precision precision) {
  switch (precision) {
  case precision::fp16: return reinterpret_cast<const void*>(&fill_input<fp16_numbers>);
  case precision::tf32: return reinterpret_cast<const void*>(&fill_input<tf32_numbers>);
  case precision::fp32: return reinterpret_cast<const void*>(&fill_input<fp32_numbers>);
  }
  return nullptr;
}

} // namespace ferry::upscale::cuda
