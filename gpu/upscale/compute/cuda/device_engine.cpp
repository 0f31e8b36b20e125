#include "gpu/upscale/compute/cuda/device_engine.hpp"

#include "gpu/upscale/compute/cuda/kernels/kernels.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace ferry::upscale::cuda {

namespace {

constexpr std::uint64_t reserve_bytes = std::uint64_t{256} << 20; // left free where no bound was given
constexpr int smallest_tile = 32;

[[nodiscard]] std::string in_mib(std::uint64_t bytes) { return std::to_string((bytes + (1U << 20) - 1) >> 20) + " MiB"; }

[[nodiscard]] const char* name_of(enum precision precision) {
  switch (precision) {
  case precision::fp16: return "fp16";
  case precision::tf32: return "tf32";
  case precision::fp32: return "fp32";
  }
  return "";
}

[[nodiscard]] result<void> check_tiles(std::span<const tile> inputs, std::span<tile> outputs) {
  if (inputs.size() != outputs.size())
    return fail(error_code::invalid_argument,
                std::to_string(inputs.size()) + " tiles in, but room for " + std::to_string(outputs.size()) + " results");
  for (const tile& input : inputs) {
    if (input.width < 1 || input.height < 1 || input.width != inputs[0].width || input.height != inputs[0].height)
      return fail(error_code::invalid_argument, "tiles of one call have one size, at least 1×1");
    if (input.rgb.size() != static_cast<std::size_t>(input.width) * static_cast<std::size_t>(input.height) * 3)
      return fail(error_code::invalid_argument,
                  "a tile has " + std::to_string(input.rgb.size()) + " numbers, not width * height * 3");
  }
  return {};
}

} // namespace

device_engine::device_engine(compiled_network compiled, device_facts facts, const cuda_options& options)
    : compiled_(std::move(compiled)), facts_(std::move(facts)), device_(options.device), overlapping_(facts_.major >= 9) {}

device_engine::~device_engine() {
  static_cast<void>(cudaSetDevice(device_));
  settle();
}

result<std::unique_ptr<device_engine>> device_engine::make(network model, const cuda_options& options) {
  auto compiled = compile(std::move(model), options.precision);
  if (!compiled)
    return fail(compiled.error());
  auto count = cuda_device_count();
  if (!count)
    return fail(count.error());
  if (options.device < 0 || options.device >= *count)
    return fail(error_code::unavailable,
                "there is no CUDA device " + std::to_string(options.device) + ", only 0 to " + std::to_string(*count - 1),
                "see CUDA_VISIBLE_DEVICES and `nvidia-smi -L`");
  auto facts = read_facts(options.device);
  if (!facts)
    return fail(facts.error());
  if (facts->major < 8)
    return fail(error_code::unavailable, facts->name + " has compute capability " + std::to_string(facts->major) + "." +
                                             std::to_string(facts->minor) + "; 8.0 (Ampere) or newer is needed");
  std::unique_ptr<device_engine> made(new device_engine(std::move(*compiled), std::move(*facts), options));
  if (auto ready = made->prepare_device(options.memory_bytes); !ready)
    return fail(ready.error());
  return made;
}

result<void> device_engine::prepare_device(std::uint64_t memory_bytes) {
  if (auto done = call(cudaSetDevice(device_), "use device " + std::to_string(device_)); !done)
    return done;
  std::size_t available = 0;
  std::size_t all = 0;
  if (auto done = call(cudaMemGetInfo(&available, &all), "ask how much memory is free"); !done)
    return done;
  memory_limit_ = memory_bytes != 0 ? memory_bytes : (available > reserve_bytes ? available - reserve_bytes : 0);
  constexpr tile_batch smallest{smallest_tile, smallest_tile, 1};
  if (device_bytes(compiled_, smallest) > memory_limit_)
    return fail(too_large(smallest));

  for (stream* one : {&inward_, &compute_, &outward_}) {
    auto made = make_stream();
    if (!made)
      return fail(made.error());
    *one = std::move(*made);
  }
  for (slot_memory& at : slots_) {
    for (event* one : {&at.copied_in, &at.computed, &at.copied_out}) {
      auto made = make_event(false);
      if (!made)
        return fail(made.error());
      *one = std::move(*made);
    }
  }
  auto constants = allocate_device(in_units(compiled_.constants.size()));
  if (!constants)
    return fail(constants.error());
  constants_ = std::move(*constants);
  constants_held_ = in_units(compiled_.constants.size());
  // On our own stream and waited for: a plain copy may return while its last part is on its way, and our streams do not wait for
  // it.
  auto copied = call(cudaMemcpyAsync(constants_.get(), compiled_.constants.data(), compiled_.constants.size(),
                                     cudaMemcpyHostToDevice, compute_.get()),
                     "copy the weights to the device");
  if (copied)
    copied = call(cudaStreamSynchronize(compute_.get()), "copy the weights to the device");
  if (!copied)
    return copied;
  compiled_.constants.clear();
  compiled_.constants.shrink_to_fit();
  return prepare_kernels();
}

// What the kernels of both numbers of rows may need is asked for now, so that an old driver or a device without our code shows
// here.
result<void> device_engine::prepare_kernels() {
  // Also brings the code onto the device, which must not happen while launches are recorded.
  cudaFuncAttributes attributes{};
  if (auto done = call(cudaFuncGetAttributes(&attributes, input_kernel(compiled_.precision)), "load a kernel"); !done)
    return done;
  for (const compiled_step& step : compiled_.steps) {
    for (const int rows : {8, 16}) {
      kernel_variant variant = step.variant;
      variant.rows = rows;
      const kernel found = find_kernel(variant);
      if (found.function == nullptr)
        continue;
      if (auto done = call(cudaFuncSetAttribute(found.function, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                                static_cast<int>(found.shared_bytes)),
                           "give a kernel " + std::to_string(found.shared_bytes) + " bytes of shared memory");
          !done)
        return done;
      if (auto done = call(
              cudaFuncSetAttribute(found.function, cudaFuncAttributePreferredSharedMemoryCarveout, cudaSharedmemCarveoutMaxShared),
              "prefer shared memory to cache");
          !done)
        return done;
    }
  }
  return {};
}

std::string device_engine::description() const { return facts_.name + ", " + name_of(compiled_.precision); }

std::uint64_t device_engine::memory_bytes(int width, int height, int at_once) const {
  return device_bytes(compiled_, {width, height, at_once});
}

int device_engine::count_at_once(int width, int height, std::size_t tiles) const {
  if (memory_bytes(width, height, 1) > memory_limit_)
    return 0;
  int count =
      wanted_count_ != 0 ? wanted_count_ : preferred_count(compiled_, width, height, facts_.multiprocessors, facts_.cache_bytes);
  count = static_cast<int>(std::min(static_cast<std::size_t>(std::clamp(count, 1, at_once_max)), std::max<std::size_t>(tiles, 1)));
  while (count > 1 && memory_bytes(width, height, count) > memory_limit_)
    --count;
  return count;
}

void device_engine::set_overlapping_launches(bool wanted) {
  overlapping_ = wanted && facts_.major >= 9;
  graphs_.clear();
}

error device_engine::too_large(const tile_batch& batch) const {
  const std::uint64_t needed = device_bytes(compiled_, batch);
  const std::string need = needed == ~std::uint64_t{0} ? "more than can be counted" : in_mib(needed);
  return {error_code::out_of_memory,
          std::to_string(batch.count) + " tiles of " + std::to_string(batch.width) + "×" + std::to_string(batch.height) +
              " pixels need " + need + " of the device; " + in_mib(memory_limit_) + " may be used",
          "use smaller tiles or allow more memory",
          {}};
}

result<void> device_engine::call(cudaError_t status, const std::string& what) {
  auto done = checked(status, what);
  if (!done && is_fatal(status))
    broken_ = done.error();
  return done;
}

// Waits until nothing of this engine is under way, whatever comes of it.
void device_engine::settle() {
  for (const stream* one : {&inward_, &compute_, &outward_}) {
    if (*one != nullptr)
      static_cast<void>(call(cudaStreamSynchronize(one->get()), "wait for the device"));
  }
}

void device_engine::release_workspace() {
  graphs_.clear();
  workspace_.reset();
  workspace_held_ = 0;
}

result<void> device_engine::reserve(const tile_batch& batch) {
  const std::uint64_t needed = in_units(workspace_of(compiled_, batch).bytes);
  if (needed > workspace_held_) {
    release_workspace(); // first, so that old and new never count together
    auto memory = allocate_device(needed);
    if (!memory)
      return fail(memory.error());
    workspace_ = std::move(*memory);
    workspace_held_ = needed;
  }
  const auto grow = [&](std::uint64_t& held, std::uint64_t bytes, pinned_memory slot_memory::*member) -> result<void> {
    if (bytes <= held)
      return {};
    held = 0;
    for (slot_memory& at : slots_) {
      (at.*member).reset();
      auto memory = allocate_pinned(bytes);
      if (!memory)
        return fail(memory.error());
      at.*member = std::move(*memory);
    }
    held = bytes;
    return {};
  };
  if (auto done = grow(pinned_input_held_, input_bytes(batch), &slot_memory::input); !done)
    return done;
  return grow(pinned_output_held_, output_bytes(batch, compiled_.model.scale), &slot_memory::output);
}

// Copies in, computes and copies out, without waiting.
result<void> device_engine::begin(const tile_group& group, std::span<const tile> inputs) {
  const slot_memory& at = slots_[group.slot];
  const workspace space = workspace_of(compiled_, group.batch);
  auto* const base = static_cast<std::byte*>(workspace_.get());
  const std::size_t one = inputs[group.first].rgb.size() * sizeof(float);
  for (int i = 0; i < group.batch.count; ++i)
    std::memcpy(static_cast<std::byte*>(at.input.get()) + static_cast<std::size_t>(i) * one,
                inputs[group.first + static_cast<std::size_t>(i)].rgb.data(), one);
  auto run = graph_for(group.batch, group.slot);
  if (!run)
    return fail(run.error());
  const auto in_order = [&](cudaError_t status, const char* what, result<void>& so_far) {
    if (so_far)
      so_far = call(status, what);
    return so_far.has_value();
  };
  result<void> done;
  const std::uint64_t out = output_bytes(group.batch, compiled_.model.scale);
  static_cast<void>(
      in_order(cudaMemcpyAsync(base + space.input[group.slot], at.input.get(), input_bytes(group.batch), cudaMemcpyHostToDevice,
                               inward_.get()),
               "copy tiles to the device", done) &&
      in_order(cudaEventRecord(at.copied_in.get(), inward_.get()), "mark the end of a copy", done) &&
      in_order(cudaStreamWaitEvent(compute_.get(), at.copied_in.get(), 0), "order work after a copy", done) &&
      in_order(cudaGraphLaunch(*run, compute_.get()), "start the network", done) &&
      in_order(cudaEventRecord(at.computed.get(), compute_.get()), "mark the end of the work", done) &&
      in_order(cudaStreamWaitEvent(outward_.get(), at.computed.get(), 0), "order a copy after work", done) &&
      in_order(cudaMemcpyAsync(at.output.get(), base + space.output[group.slot], out, cudaMemcpyDeviceToHost, outward_.get()),
               "copy results from the device", done) &&
      in_order(cudaEventRecord(at.copied_out.get(), outward_.get()), "mark the end of a copy", done));
  return done;
}

// Waits for a group and hands its results out; false: the caller wants no more.
result<bool> device_engine::finish(const tile_group& group, std::span<tile> outputs,
                                   const std::function<bool(std::size_t)>& on_tile) {
  const slot_memory& at = slots_[group.slot];
  if (auto done = call(cudaEventSynchronize(at.copied_out.get()), "compute the network"); !done)
    return fail(done.error());
  const int scale = compiled_.model.scale;
  const auto numbers = static_cast<std::size_t>(group.batch.width) * static_cast<std::size_t>(group.batch.height) * 3 *
                       static_cast<std::size_t>(scale) * static_cast<std::size_t>(scale);
  for (int i = 0; i < group.batch.count; ++i) {
    const float* from = static_cast<const float*>(at.output.get()) + static_cast<std::size_t>(i) * numbers;
    tile& to = outputs[group.first + static_cast<std::size_t>(i)];
    to.width = group.batch.width * scale;
    to.height = group.batch.height * scale;
    to.rgb.assign(from, from + numbers);
    if (on_tile && !on_tile(group.first + static_cast<std::size_t>(i)))
      return false;
  }
  return true;
}

// Two groups are under way at a time: while one is computed, the host fills the next and empties the one before.
result<void> device_engine::enlarge_in_groups(std::span<const tile> inputs, std::span<tile> outputs, int count,
                                              const std::function<bool(std::size_t)>& on_tile) {
  std::optional<tile_group> running;
  const auto finish_running = [&]() -> result<void> {
    if (!running)
      return {};
    const auto wanted = finish(*running, outputs, on_tile);
    if (!wanted)
      return fail(wanted.error());
    if (!*wanted)
      return fail(error_code::unavailable, "stopped before all tiles were done");
    return {};
  };
  int slot = 0;
  for (std::size_t first = 0; first < inputs.size(); first += static_cast<std::size_t>(count), slot = 1 - slot) {
    const auto tiles = std::min(static_cast<std::size_t>(count), inputs.size() - first);
    const tile_group next{first, {inputs[0].width, inputs[0].height, static_cast<int>(tiles)}, slot};
    if (auto begun = begin(next, inputs); !begun)
      return begun;
    if (auto finished = finish_running(); !finished)
      return finished;
    running = next;
  }
  return finish_running();
}

result<void> device_engine::enlarge(std::span<const tile> inputs, std::span<tile> outputs,
                                    const std::function<bool(std::size_t)>& on_tile) {
  if (broken_)
    return fail(*broken_);
  if (auto checked = check_tiles(inputs, outputs); !checked)
    return checked;
  if (inputs.empty())
    return {};
  if (auto done = call(cudaSetDevice(device_), "use device " + std::to_string(device_)); !done)
    return done;
  const int width = inputs[0].width;
  const int height = inputs[0].height;
  int count = count_at_once(width, height, inputs.size());
  if (count == 0)
    return fail(too_large({width, height, 1}));
  // Others may hold what our bound would allow us: then with fewer at once.
  auto reserved = reserve({width, height, count});
  while (!reserved && reserved.error().code == error_code::out_of_memory && count > 1) {
    count /= 2;
    reserved = reserve({width, height, count});
  }
  if (!reserved)
    return reserved;
  const struct settling { // whatever ends the call, an exception of the caller's too: nothing may be under way when the next begins
    device_engine& engine;
    ~settling() { engine.settle(); }
  } at_the_end{*this};
  try {
    auto done = enlarge_in_groups(inputs, outputs, count, on_tile);
    if (!done && done.error().code == error_code::out_of_memory) {
      settle();
      release_workspace();
    }
    return done;
  } catch (const std::bad_alloc&) {
    return fail(error_code::out_of_memory, "the host has no memory for the results", "use smaller tiles");
  }
}

} // namespace ferry::upscale::cuda
