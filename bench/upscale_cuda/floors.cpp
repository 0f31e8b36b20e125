#include "bench/upscale_cuda/floors.hpp"

#include "gpu/upscale/compute/cuda/weight_packing.hpp"

#include <algorithm>

namespace ferry::upscale::cuda {

std::optional<double> peak_operations(const device_facts& facts, enum precision precision) {
  if (facts.clock_khz <= 0)
    return {};
  double fp16_rate = 0;
  double fp32_rate = 128;
  if (facts.major == 8 && facts.minor == 0) {
    fp16_rate = 1024;
    fp32_rate = 64;
  } else if (facts.major == 8 && (facts.minor == 6 || facts.minor == 9)) {
    fp16_rate = 512;
  } else if (facts.major == 9) {
    fp16_rate = 2048;
  } else {
    return {};
  }
  const double rate = precision == precision::fp16 ? fp16_rate : (precision == precision::tf32 ? fp16_rate / 2 : fp32_rate);
  return 2 * rate * facts.multiprocessors * facts.clock_khz * 1e3;
}

double operations(const network& model, const tile_batch& batch) {
  return 2 * model.multiplications_per_pixel() * batch.width * batch.height * batch.count;
}

double moved_bytes(const compiled_network& compiled, const tile_batch& batch) {
  double planes = 1; // the input's
  for (const convolution& step : compiled.model.steps) {
    for (const int source : step.sources)
      planes += planes_of(compiled.model.values[static_cast<std::size_t>(source)].channels, compiled.precision);
    const int written = planes_of(compiled.model.values[static_cast<std::size_t>(step.output)].channels, compiled.precision);
    planes += written * (&step == &compiled.model.steps.back() ? 0.0 : 1.0) + written * static_cast<double>(step.residuals.size());
  }
  return planes * static_cast<double>(plane_bytes(batch)) + static_cast<double>(compiled.constants_bytes) +
         static_cast<double>(input_bytes(batch)) + static_cast<double>(output_bytes(batch, compiled.model.scale));
}

result<double> measured_bandwidth() {
  constexpr std::uint64_t bytes = std::uint64_t{512} << 20;
  auto from = allocate_device(bytes);
  auto to = allocate_device(bytes);
  auto on = make_stream();
  auto begin = make_event(true);
  auto end = make_event(true);
  for (const error* problem : {from ? nullptr : &from.error(), to ? nullptr : &to.error(), on ? nullptr : &on.error(),
                               begin ? nullptr : &begin.error(), end ? nullptr : &end.error()}) {
    if (problem != nullptr)
      return fail(*problem);
  }
  if (auto done = checked(cudaMemsetAsync(from->get(), 1, bytes, on->get()), "fill memory"); !done)
    return fail(done.error());
  float best_ms = 1e9F;
  for (int i = 0; i < 10; ++i) {
    for (const cudaError_t status : {cudaEventRecord(begin->get(), on->get()),
                                     cudaMemcpyAsync(to->get(), from->get(), bytes, cudaMemcpyDeviceToDevice, on->get()),
                                     cudaEventRecord(end->get(), on->get()), cudaEventSynchronize(end->get())}) {
      if (auto done = checked(status, "measure a copy"); !done)
        return fail(done.error());
    }
    float ms = 0;
    if (auto done = checked(cudaEventElapsedTime(&ms, begin->get(), end->get()), "read a time"); !done)
      return fail(done.error());
    best_ms = std::min(best_ms, ms);
  }
  return 2.0 * static_cast<double>(bytes) / (static_cast<double>(best_ms) * 1e-3);
}

} // namespace ferry::upscale::cuda
