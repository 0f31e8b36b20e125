// Where values lie in one stretch of memory when those that are never needed at the same time may share a place.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace ferry::upscale::cuda {

// Needed from step `first` (which makes it) through step `last` (which reads it last), both included. Units are the caller's.
struct lifetime {
  std::size_t size = 0;
  int first = 0;
  int last = 0;
};

struct memory_plan {
  std::vector<std::size_t> offsets; // one a lifetime
  std::size_t size = 0;             // of the whole stretch
};

// The largest first, each at the lowest place that is free during its whole life ("greedy by size": Pisarchyk and Lee, Efficient
// Memory Management for Deep Neural Net Inference, 2020).
[[nodiscard]] memory_plan plan_memory(std::span<const lifetime> lifetimes);

// No plan can be smaller: the most that lives at any one step.
[[nodiscard]] std::size_t least_memory(std::span<const lifetime> lifetimes);

} // namespace ferry::upscale::cuda
