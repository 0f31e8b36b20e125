// The kernels, as the host's side sees them: functions to launch. All of CUDA's device language is behind this.
#pragma once

#include "gpu/upscale/compute/cuda/kernel_variant.hpp"

namespace ferry::upscale::cuda {

struct kernel {
  const void* function = nullptr; // takes one convolution_parameters; null: there is no such kernel
  unsigned threads = 0;
  unsigned shared_bytes = 0;
};

[[nodiscard]] kernel find_kernel(const kernel_variant& variant);

// float RGB -> the plane of value 0: takes one input_parameters, a thread a pixel.
inline constexpr unsigned input_threads = 256;
[[nodiscard]] const void* input_kernel(enum precision precision);

// One a file of kernels; find_kernel asks them.
[[nodiscard]] kernel fp16_3x3_kernel(int groups, int rows);
[[nodiscard]] kernel fp16_1x1_kernel(int groups, int rows);
[[nodiscard]] kernel fp16_5x5_kernel(int groups, int rows);
[[nodiscard]] kernel tf32_kernel(int taps_across, int groups, int rows);
[[nodiscard]] kernel fp32_kernel(int taps_across, int groups, int rows);

} // namespace ferry::upscale::cuda
