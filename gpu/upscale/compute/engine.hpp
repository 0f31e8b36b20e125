// What computes a network: the CPU (compute/cpu) or a GPU (compute/cuda), behind one interface. An engine holds the weights, ready
// for use, and is used for tile after tile, picture after picture; it belongs to one thread at a time.
#pragma once

#include "gpu/upscale/network/network.hpp"
#include "model/error.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace ferry::upscale {

// A piece of a picture as networks take it and make it: R, G, B interleaved, row after row, 0–255 (results may lie outside).
struct tile {
  int width = 0;
  int height = 0;
  std::vector<float> rgb; // width * height * 3
};

class engine {
public:
  virtual ~engine() = default;

  // For people: "CPU, AVX-512, 2 threads" or "NVIDIA H100, fp16".
  [[nodiscard]] virtual std::string description() const = 0;

  [[nodiscard]] virtual const network& model() const = 0;

  // Bytes of host (CPU engine) or device memory (GPU) that tiles of this size need in all, `at_once` of them computed together.
  [[nodiscard]] virtual std::uint64_t memory_bytes(int width, int height, int at_once) const = 0;

  // Computes each of `inputs`, which all have one size, into `outputs` (as many; sized by this call, scale times as large). The
  // engine chooses how many it computes together within its memory, and hides copies behind work. `on_tile(i)` is called on the
  // calling thread each time outputs[i] is done, in order; when it answers false, the rest is left undone and the result is an
  // error with code `unavailable`. Other errors: `out_of_memory` (nothing is broken: smaller tiles may work), `internal` (a fault
  // of the device).
  [[nodiscard]] virtual result<void> enlarge(std::span<const tile> inputs, std::span<tile> outputs,
                                             const std::function<bool(std::size_t)>& on_tile) = 0;
};

} // namespace ferry::upscale
