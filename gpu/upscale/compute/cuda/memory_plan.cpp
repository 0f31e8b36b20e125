#include "gpu/upscale/compute/cuda/memory_plan.hpp"

#include <algorithm>
#include <numeric>

namespace ferry::upscale::cuda {

namespace {

[[nodiscard]] bool meet(const lifetime& a, const lifetime& b) { return a.first <= b.last && b.first <= a.last; }

} // namespace

memory_plan plan_memory(std::span<const lifetime> lifetimes) {
  std::vector<std::size_t> order(lifetimes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return lifetimes[a].size > lifetimes[b].size; });

  memory_plan plan;
  plan.offsets.assign(lifetimes.size(), 0);
  std::vector<std::size_t> placed; // by offset
  for (const std::size_t item : order) {
    std::size_t offset = 0;
    for (const std::size_t other : placed) {
      if (!meet(lifetimes[item], lifetimes[other]))
        continue;
      if (offset + lifetimes[item].size <= plan.offsets[other])
        break;
      offset = std::max(offset, plan.offsets[other] + lifetimes[other].size);
    }
    plan.offsets[item] = offset;
    plan.size = std::max(plan.size, offset + lifetimes[item].size);
    const auto by_offset = [&](std::size_t a, std::size_t b) { return plan.offsets[a] < plan.offsets[b]; };
    placed.insert(std::upper_bound(placed.begin(), placed.end(), item, by_offset), item);
  }
  return plan;
}

std::size_t least_memory(std::span<const lifetime> lifetimes) {
  std::size_t most = 0;
  for (const lifetime& at : lifetimes) {
    std::size_t alive = 0;
    for (const lifetime& other : lifetimes) {
      if (other.first <= at.first && at.first <= other.last)
        alive += other.size;
    }
    most = std::max(most, alive);
  }
  return most;
}

} // namespace ferry::upscale::cuda
