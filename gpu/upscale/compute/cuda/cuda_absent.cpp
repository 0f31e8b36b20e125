// What cuda_engine.hpp promises where CUDA was not there when ferry was built.
#include "gpu/upscale/compute/cuda/cuda_engine.hpp"

namespace ferry::upscale {

namespace {

[[nodiscard]] tl::unexpected<error> absent() {
  return fail(error_code::unavailable, "this ferry-upscale was built without CUDA",
              "compute on the CPU, or build it where nvcc is found (cmake -DFERRY_CUDA=ON)");
}

} // namespace

bool has_cuda() { return false; }

result<int> cuda_device_count() { return absent(); }

result<std::unique_ptr<engine>> make_cuda_engine(network, const cuda_options&) { return absent(); }

} // namespace ferry::upscale
