// What device_engine launches: every layer of a network as one recorded graph, which costs one launch to run.
#include "gpu/upscale/compute/cuda/device_engine.hpp"

#include "gpu/upscale/compute/cuda/input_body.hpp"
#include "gpu/upscale/compute/cuda/kernels/kernels.hpp"

#include <algorithm>

namespace ferry::upscale::cuda {

namespace {

constexpr std::size_t graphs_max = 16;

} // namespace

result<void> device_engine::launch_kernel(const void* function, unsigned blocks, unsigned threads, unsigned shared_bytes,
                                          void* parameters, bool first) {
  cudaLaunchAttribute overlap{};
  overlap.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  overlap.val.programmaticStreamSerializationAllowed = 1;
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(blocks);
  config.blockDim = dim3(threads);
  config.dynamicSmemBytes = shared_bytes;
  config.stream = compute_.get();
  config.attrs = &overlap;
  config.numAttrs = overlapping_ && !first ? 1 : 0;
  void* arguments[] = {parameters};
  return call(cudaLaunchKernelExC(&config, function, arguments), "launch a kernel of " + std::to_string(blocks) + " blocks");
}

result<void> device_engine::launch_all(const tile_batch& batch, int slot) {
  const workspace space = workspace_of(compiled_, batch);
  auto* const base = static_cast<std::byte*>(workspace_.get());
  auto* const constants = static_cast<std::byte*>(constants_.get());
  input_parameters input;
  input.picture = reinterpret_cast<const float*>(base + space.input[slot]);
  input.plane = base + space.arena + compiled_.input_plane * plane_bytes(batch);
  input.pixels =
      static_cast<std::uint64_t>(batch.width) * static_cast<std::uint64_t>(batch.height) * static_cast<std::uint64_t>(batch.count);
  input.gain = compiled_.model.input_gain;
  input.split = compiled_.split_input ? 1 : 0;
  const auto input_blocks = static_cast<unsigned>((input.pixels + input_threads - 1) / input_threads);
  if (auto done = launch_kernel(input_kernel(compiled_.precision), input_blocks, input_threads, 0, &input, true); !done)
    return done;
  for (launch& one : plan_launches(compiled_, batch, facts_.multiprocessors)) {
    one.parameters.arena = base + space.arena;
    one.parameters.weights = constants + one.weights_offset;
    one.parameters.bias = reinterpret_cast<const float*>(constants + one.bias_offset);
    one.parameters.picture = one.last ? reinterpret_cast<float*>(base + space.output[slot]) : nullptr;
    const kernel found = find_kernel(one.variant);
    if (auto done = launch_kernel(found.function, one.blocks, found.threads, found.shared_bytes, &one.parameters, false); !done)
      return done;
  }
  return {};
}

result<graph_run> device_engine::capture(const tile_batch& batch, int slot) {
  if (auto done = call(cudaStreamBeginCapture(compute_.get(), cudaStreamCaptureModeThreadLocal), "begin to record the launches");
      !done)
    return fail(done.error());
  const auto launched = launch_all(batch, slot);
  cudaGraph_t recorded = nullptr;
  const auto ended = call(cudaStreamEndCapture(compute_.get(), &recorded), "end recording the launches");
  const graph owned(recorded);
  if (!launched)
    return fail(launched.error());
  if (!ended)
    return fail(ended.error());
  cudaGraphExec_t run = nullptr;
  if (auto done = call(cudaGraphInstantiate(&run, owned.get(), 0), "make the recorded launches runnable"); !done)
    return fail(done.error());
  return graph_run(run);
}

result<cudaGraphExec_t> device_engine::graph_for(const tile_batch& batch, int slot) {
  for (captured_graph& known : graphs_) {
    if (known.batch == batch && known.slot == slot) {
      known.last_use = ++uses_;
      return known.run.get();
    }
  }
  auto run = capture(batch, slot);
  if (!run && overlapping_ && !broken_ && run.error().code != error_code::out_of_memory) {
    overlapping_ = false; // an older driver records no overlapping launches
    run = capture(batch, slot);
  }
  if (!run)
    return fail(run.error());
  if (graphs_.size() == graphs_max) {
    const auto oldest = std::min_element(graphs_.begin(), graphs_.end(),
                                         [](const captured_graph& a, const captured_graph& b) { return a.last_use < b.last_use; });
    settle(); // the one that goes may still run
    graphs_.erase(oldest);
  }
  graphs_.push_back({batch, slot, ++uses_, std::move(*run)});
  return graphs_.back().run.get();
}

result<device_timing> device_engine::measure(const tile_batch& batch, int repeats) {
  if (broken_)
    return fail(*broken_);
  if (auto done = call(cudaSetDevice(device_), "use device " + std::to_string(device_)); !done)
    return fail(done.error());
  if (memory_bytes(batch.width, batch.height, batch.count) > memory_limit_)
    return fail(too_large(batch));
  if (auto done = reserve(batch); !done)
    return fail(done.error());
  auto run = graph_for(batch, 0);
  if (!run)
    return fail(run.error());
  auto from = make_event(true);
  auto to = make_event(true);
  if (!from || !to)
    return fail(from ? to.error() : from.error());
  std::vector<double> times;
  for (int i = -3; i < repeats; ++i) {
    for (const cudaError_t status : {cudaEventRecord(from->get(), compute_.get()), cudaGraphLaunch(*run, compute_.get()),
                                     cudaEventRecord(to->get(), compute_.get()), cudaEventSynchronize(to->get())}) {
      if (auto done = call(status, "measure the network"); !done)
        return fail(done.error());
    }
    float ms = 0;
    if (auto done = call(cudaEventElapsedTime(&ms, from->get(), to->get()), "read a time"); !done)
      return fail(done.error());
    if (i >= 0)
      times.push_back(ms);
  }
  std::sort(times.begin(), times.end());
  return device_timing{static_cast<int>(compiled_.steps.size()) + 1, times[times.size() / 2], times.front()};
}

} // namespace ferry::upscale::cuda
