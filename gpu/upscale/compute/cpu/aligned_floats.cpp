#include "gpu/upscale/compute/cpu/aligned_floats.hpp"

#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <sys/mman.h>

namespace ferry::upscale {
namespace {

constexpr std::size_t cache_line_bytes = 64;
constexpr std::size_t large_page_bytes = 2 * 1024 * 1024;

} // namespace

aligned_floats::aligned_floats(std::size_t count) : count_(count) {
  if (count > std::numeric_limits<std::size_t>::max() / sizeof(float) - large_page_bytes)
    throw std::bad_alloc();
  const std::size_t bytes = count * sizeof(float);
  const bool is_large = bytes >= 2 * large_page_bytes;
  const std::size_t alignment = is_large ? large_page_bytes : cache_line_bytes;
  void* const memory = std::aligned_alloc(alignment, (bytes + alignment) / alignment * alignment);
  if (!memory)
    throw std::bad_alloc();
  if (is_large)
    ::madvise(memory, bytes / large_page_bytes * large_page_bytes, MADV_HUGEPAGE); // a wish: without large pages it works as well
  floats_.reset(static_cast<float*>(memory));
  std::memset(memory, 0, bytes);
}

void aligned_floats::release::operator()(float* floats) const { std::free(floats); }

} // namespace ferry::upscale
