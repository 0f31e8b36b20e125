// Compiled with -mavx2 -mfma; called only where the processor has both.
#define FERRY_LANES 8
#define FERRY_VECTOR_REGISTERS 16
#include "gpu/upscale/compute/cpu/kernels_impl.hpp"

namespace ferry::upscale::kernels {

const table& avx2_table() { return local_table; }

} // namespace ferry::upscale::kernels
