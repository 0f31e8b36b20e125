// For any processor: vectors of 4 floats, which are SSE2 on x86-64 and NEON on ARM.
#define FERRY_LANES 4
#define FERRY_VECTOR_REGISTERS 16
#include "gpu/upscale/compute/cpu/kernels_impl.hpp"

namespace ferry::upscale::kernels {

const table& portable_table() { return local_table; }

} // namespace ferry::upscale::kernels
