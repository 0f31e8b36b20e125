#include "gpu/upscale/compute/cpu/instruction_sets.hpp"

#include <cstdint>

#if defined(FERRY_KERNELS_X86)
#include <cpuid.h>
#endif

namespace ferry::upscale {
namespace {

#if defined(FERRY_KERNELS_X86)

struct registers {
  unsigned a = 0, b = 0, c = 0, d = 0;
};

registers cpuid(unsigned leaf) {
  registers r;
  __get_cpuid_count(leaf, 0, &r.a, &r.b, &r.c, &r.d); // all zero where the leaf does not exist
  return r;
}

// Which register files the operating system saves (XCR0).
std::uint64_t saved_by_the_system() {
  unsigned low = 0;
  unsigned high = 0;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low | (static_cast<std::uint64_t>(high) << 32U);
}

instruction_set detect() {
  constexpr unsigned fma = 1U << 12U;
  constexpr unsigned osxsave = 1U << 27U;
  constexpr unsigned avx = 1U << 28U;
  constexpr unsigned avx2 = 1U << 5U;
  constexpr unsigned avx512f = 1U << 16U;
  constexpr std::uint64_t ymm_saved = 0x06;
  constexpr std::uint64_t zmm_saved = 0xe6;
  const unsigned basic = cpuid(1).c;
  if ((basic & (fma | osxsave | avx)) != (fma | osxsave | avx))
    return instruction_set::portable;
  const std::uint64_t saved = saved_by_the_system();
  const unsigned extended = cpuid(7).b;
  if ((extended & avx2) == 0 || (saved & ymm_saved) != ymm_saved)
    return instruction_set::portable;
  const bool wide = (extended & avx512f) != 0 && (saved & zmm_saved) == zmm_saved;
  return wide ? instruction_set::avx512 : instruction_set::avx2;
}

#else

instruction_set detect() { return instruction_set::portable; }

#endif

} // namespace

instruction_set best_instruction_set() {
  static const instruction_set best = detect();
  return best;
}

const char* name_of(instruction_set set) {
  switch (set) {
  case instruction_set::avx512: return "AVX-512";
  case instruction_set::avx2: return "AVX2";
  case instruction_set::portable: return "portable";
  }
  return "unknown";
}

const kernels::table& kernels_for(instruction_set set) {
#if defined(FERRY_KERNELS_X86)
  if (set == instruction_set::avx512)
    return kernels::avx512_table();
  if (set == instruction_set::avx2)
    return kernels::avx2_table();
#else
  static_cast<void>(set);
#endif
  return kernels::portable_table();
}

} // namespace ferry::upscale
