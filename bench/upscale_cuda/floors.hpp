// What no implementation on a device can beat: its multiplications at the tensor cores' rate, and the bytes that layer by layer
// computation moves.
#pragma once

#include "gpu/upscale/compute/cuda/device.hpp"
#include "gpu/upscale/compute/cuda/launch_plan.hpp"

#include <optional>

namespace ferry::upscale::cuda {

// Dense, fp32 sums, at the clock that the device names as its highest (it may run below that): floating-point operations a second,
// two a multiplication. From NVIDIA's architecture papers: multiplications a clock and multiprocessor are 1024 on sm_80, 512 on
// sm_86 and sm_89, 2048 on sm_90 in fp16, half of that in tf32; 64 (sm_80) or 128 in fp32 without tensor cores. Empty for other
// devices.
[[nodiscard]] std::optional<double> peak_operations(const device_facts& facts, enum precision precision);

// Two a multiplication of the network, padding not counted.
[[nodiscard]] double operations(const network& model, const tile_batch& batch);

// Each layer reads its sources, residuals and weights once and writes its result once. What fits the second-level cache need not go
// to memory, so a small batch can be faster than this.
[[nodiscard]] double moved_bytes(const compiled_network& compiled, const tile_batch& batch);

// Bytes read and written a second by copies within the device's memory: the best of several.
[[nodiscard]] result<double> measured_bandwidth();

} // namespace ferry::upscale::cuda
