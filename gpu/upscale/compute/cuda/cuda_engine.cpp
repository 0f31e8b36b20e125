#include "gpu/upscale/compute/cuda/cuda_engine.hpp"

#include "gpu/upscale/compute/cuda/device_engine.hpp"

namespace ferry::upscale {

bool has_cuda() { return true; }

result<int> cuda_device_count() {
  int count = 0;
  if (auto done = cuda::checked(cudaGetDeviceCount(&count), "find a device"); !done) {
    error e = done.error();
    e.code = error_code::unavailable;
    return fail(std::move(e));
  }
  if (count == 0)
    return fail(error_code::unavailable, "CUDA finds no device",
                "see CUDA_VISIBLE_DEVICES and `nvidia-smi -L`, or compute on the CPU");
  return count;
}

result<std::unique_ptr<engine>> make_cuda_engine(network model, const cuda_options& options) {
  auto made = cuda::device_engine::make(std::move(model), options);
  if (!made)
    return fail(made.error());
  return std::unique_ptr<engine>(std::move(*made));
}

} // namespace ferry::upscale
