// The kernels, as the host's side sees them: functions to launch. All of CUDA's device language is behind this.
#pragma once

#include "gpu/upscale/compute/cuda/kernel_variant.hpp"

#include <cstddef>
#include <cstdint>

namespace ferry::upscale::cuda {

struct kernel {
  const void* function = nullptr; // takes one convolution_parameters; null: there is no such kernel
  unsigned threads = 0;
  unsigned shared_bytes = 0;
};

[[nodiscard]] kernel find_kernel(const kernel_variant& variant);

// float RGB -> the plane of value 0.
struct input_parameters {
  const float* picture = nullptr;
  std::byte* plane = nullptr;
  std::uint64_t pixels = 0;
  float gain = 1;
  int half = 0;  // fp16 rather than fp32
  int split = 0; // channels 3–5 take what rounding to the format's precision leaves of channels 0–2
};
inline constexpr unsigned input_threads = 256;
[[nodiscard]] const void* input_kernel();

} // namespace ferry::upscale::cuda
