// The engine on an NVIDIA GPU: 3×3 convolutions on tensor cores, each fused with bias, activation and residuals. Without CUDA at
// build time these functions exist and answer with an error that says so.
#pragma once

#include "gpu/upscale/compute/engine.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace ferry::upscale {

enum class precision {
  fp16, // fp16 products, fp32 sums, activations kept in fp16
  tf32, // tf32 products, fp32 sums, activations kept in fp32
  fp32, // no tensor cores; the yardstick for the others
};

struct cuda_options {
  int device = 0; // among those that CUDA_VISIBLE_DEVICES leaves
  enum precision precision = precision::fp16;
  std::uint64_t memory_bytes = 0; // what it may use of the device in all, its weights included; 0: what is free, less a reserve
};

// True when built with CUDA.
[[nodiscard]] bool has_cuda();

// How many devices can be used; an error says why there are none (built without CUDA, no driver, driver too old).
[[nodiscard]] result<int> cuda_device_count();

// Errors: `unavailable` (no such device, no driver), `out_of_memory` (not even one small tile fits `memory_bytes`).
[[nodiscard]] result<std::unique_ptr<engine>> make_cuda_engine(network model, const cuda_options& options);

} // namespace ferry::upscale
