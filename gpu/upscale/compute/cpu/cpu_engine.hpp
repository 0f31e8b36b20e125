// The engine on the host's processor: direct or Winograd convolutions in fp32, vectorised for AVX-512, AVX2 with FMA, or anything.
#pragma once

#include "gpu/upscale/compute/engine.hpp"

#include <memory>
#include <optional>

namespace ferry::upscale {

enum class instruction_set { portable, avx2, avx512 };

// The best of them that this processor and its operating system have.
[[nodiscard]] instruction_set best_instruction_set();

struct cpu_options {
  int threads = 1;                                  // exactly so many compute, the caller's among them
  std::optional<instruction_set> instructions = {}; // empty: the best; one that is not there is an error
};

[[nodiscard]] result<std::unique_ptr<engine>> make_cpu_engine(network model, const cpu_options& options);

} // namespace ferry::upscale
