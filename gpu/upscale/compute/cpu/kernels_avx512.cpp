// Compiled with -mavx512f; called only where the processor has it.
#define FERRY_LANES 16
#define FERRY_VECTOR_REGISTERS 32
#include "gpu/upscale/compute/cpu/kernels_impl.hpp"

namespace ferry::upscale::kernels {

const table& avx512_table() { return local_table; }

} // namespace ferry::upscale::kernels
