#include "gpu/upscale/compute/cuda/launch_plan.hpp"

#include "gpu/upscale/compute/cuda/memory_plan.hpp"
#include "gpu/upscale/compute/cuda/tile_shape.hpp"
#include "gpu/upscale/compute/cuda/weight_packing.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

namespace ferry::upscale::cuda {

namespace {

constexpr std::size_t constants_alignment = 256;
constexpr std::uint64_t stretch_alignment = 512;

template <class T>
[[nodiscard]] T rounded_up(T number, T unit) {
  return (number + unit - 1) / unit * unit;
}

[[nodiscard]] int planes_per_stage(int kernel) { return kernel == 1 ? 2 : 1; }

// The kernel whose blocks of channels leave least of their work unused; the larger one of equals, since it reads the input less
// often.
[[nodiscard]] kernel_variant choose_variant(enum precision precision, int kernel, int output_channels) {
  kernel_variant best;
  int least = std::numeric_limits<int>::max();
  for (int groups = 1; groups <= 4; ++groups) {
    const kernel_variant variant{precision, kernel, groups, 16};
    const int channels = groups * group_channels;
    const int computed = (output_channels + channels - 1) / channels * channels;
    if (is_built(variant) && computed <= least) {
      best = variant;
      least = computed;
    }
  }
  return best;
}

[[nodiscard]] std::vector<lifetime> lifetimes_of(const network& model, enum precision precision) {
  std::vector<lifetime> lifetimes(model.values.size());
  const auto make = [&](int value, int step) {
    const auto index = static_cast<std::size_t>(value);
    lifetimes[index] = {static_cast<std::size_t>(planes_of(model.values[index].channels, precision)), step, step};
  };
  make(0, -1);
  for (std::size_t s = 0; s < model.steps.size(); ++s) {
    const convolution& step = model.steps[s];
    const int now = static_cast<int>(s);
    const auto read = [&](int value) { lifetimes[static_cast<std::size_t>(value)].last = now; };
    std::for_each(step.sources.begin(), step.sources.end(), read);
    for (const convolution::residual& residual : step.residuals)
      read(residual.of);
    make(step.output, now);
  }
  // The last step's result goes into the picture, not into the arena.
  lifetimes[static_cast<std::size_t>(model.steps.back().output)].size = 0;
  return lifetimes;
}

[[nodiscard]] result<void> check_step(const network& model, std::size_t index, std::vector<bool>& made, enum precision precision) {
  const convolution& step = model.steps[index];
  const auto bad = [&](const std::string& what) {
    return fail(error_code::invalid_argument,
                "step " + std::to_string(index) + " (" + step.name + ") of network " + model.name + " " + what);
  };
  const auto ready = [&](int value) {
    return value >= 0 && static_cast<std::size_t>(value) < made.size() && made[static_cast<std::size_t>(value)];
  };
  if (step.kernel != 1 && step.kernel != 3 && step.kernel != 5)
    return bad("has a kernel of " + std::to_string(step.kernel) + "; 1, 3 and 5 are known");
  if (step.sources.empty() || !std::all_of(step.sources.begin(), step.sources.end(), ready))
    return bad("reads a value that no step before it makes");
  if (step.output <= 0 || static_cast<std::size_t>(step.output) >= made.size() || made[static_cast<std::size_t>(step.output)])
    return bad("makes value " + std::to_string(step.output) + ", which does not exist or is made already");
  const auto outputs = static_cast<std::size_t>(model.values[static_cast<std::size_t>(step.output)].channels);
  std::size_t inputs = 0;
  int planes = 0;
  for (const int source : step.sources) {
    inputs += static_cast<std::size_t>(model.values[static_cast<std::size_t>(source)].channels);
    planes += planes_of(model.values[static_cast<std::size_t>(source)].channels, precision);
  }
  if (planes >= source_planes_max)
    return bad("reads " + std::to_string(inputs) + " channels, more than this engine's kernels can");
  const auto taps = static_cast<std::size_t>(step.kernel) * static_cast<std::size_t>(step.kernel);
  if (step.weights.size() != taps * inputs * outputs || step.bias.size() != outputs)
    return bad("has " + std::to_string(step.weights.size()) + " weights and " + std::to_string(step.bias.size()) + " biases, not " +
               std::to_string(taps * inputs * outputs) + " and " + std::to_string(outputs));
  if (step.residuals.size() > 2)
    return bad("has more than 2 residuals");
  for (const convolution::residual& residual : step.residuals) {
    if (!ready(residual.of) || static_cast<std::size_t>(model.values[static_cast<std::size_t>(residual.of)].channels) != outputs)
      return bad("adds value " + std::to_string(residual.of) + ", which is not made yet or has another number of channels");
  }
  if (!fits(step, precision))
    return bad(precision == precision::fp16 ? "has weights that fp16 cannot hold (use tf32)" : "has weights that are not finite");
  made[static_cast<std::size_t>(step.output)] = true;
  return {};
}

[[nodiscard]] result<void> check(const network& model, enum precision precision) {
  const auto bad = [&](const std::string& what) {
    return fail(error_code::invalid_argument, "network " + model.name + " " + what);
  };
  if (model.values.empty() || model.values[0].channels != 3 || model.steps.empty() || model.scale < 1)
    return bad("has no steps, or an input that has not 3 channels");
  if (std::any_of(model.values.begin(), model.values.end(), [](const value& v) { return v.channels < 1 || v.channels > 65'535; }))
    return bad("has a value with a number of channels that is not 1 to 65535");
  std::vector<bool> made(model.values.size());
  made[0] = true;
  for (std::size_t i = 0; i < model.steps.size(); ++i) {
    if (auto checked = check_step(model, i, made, precision); !checked)
      return checked;
  }
  const int channels = model.values[static_cast<std::size_t>(model.steps.back().output)].channels;
  if (channels != 3 * model.scale * model.scale)
    return bad("ends in " + std::to_string(channels) + " channels, not 3 * " + std::to_string(model.scale) + "²");
  return {};
}

[[nodiscard]] std::size_t append(std::vector<std::byte>& all, const void* bytes, std::size_t count) {
  const std::size_t offset = all.size();
  all.resize(rounded_up(offset + count, constants_alignment));
  std::memcpy(all.data() + offset, bytes, count);
  return offset;
}

// The planes that a step reads and which of its input channels they hold.
[[nodiscard]] channel_list list_sources(const compiled_network& compiled, const convolution& step, const memory_plan& places,
                                        convolution_parameters& parameters) {
  channel_list channels;
  int first = 0; // input channel of the source at hand
  std::size_t count = 0;
  for (const int source : step.sources) {
    const auto index = static_cast<std::size_t>(source);
    const int has = compiled.model.values[index].channels;
    const int planes = planes_of(has, compiled.precision);
    for (int plane = 0; plane < planes; ++plane)
      parameters.sources[count++] = static_cast<std::uint16_t>(places.offsets[index] + static_cast<std::size_t>(plane));
    const bool split = source == 0 && compiled.split_input;
    for (int channel = 0; channel < planes * plane_channels(compiled.precision); ++channel)
      channels.push_back(channel < has ? first + channel : (split && channel < 2 * has ? first + channel - has : -1));
    first += has;
  }
  if (count < source_planes_max) // a stage with one plane left over reads this one again, with weights of zero
    parameters.sources[count] = parameters.sources[0];
  return channels;
}

void compile_step(compiled_network& compiled, const convolution& step, const memory_plan& places, bool last) {
  const int outputs = compiled.model.values[static_cast<std::size_t>(step.output)].channels;
  compiled_step made;
  made.variant = choose_variant(compiled.precision, step.kernel, outputs);
  convolution_parameters& p = made.parameters;
  const channel_list channels = list_sources(compiled, step, places, p);
  const packing how{compiled.precision, made.variant.groups, planes_per_stage(step.kernel)};
  p.stages = stages_of(channels, how);
  p.channel_blocks = channel_blocks_of(outputs, how);
  p.channels = outputs;
  p.output_plane = static_cast<int>(places.offsets[static_cast<std::size_t>(step.output)]);
  p.output_planes = planes_of(outputs, compiled.precision);
  p.relu = step.relu ? 1 : 0;
  for (const convolution::residual& residual : step.residuals) {
    p.residual_plane[p.residuals] = static_cast<int>(places.offsets[static_cast<std::size_t>(residual.of)]);
    p.residual_gain[p.residuals] = residual.gain;
    ++p.residuals;
  }
  if (last) {
    p.scale = compiled.model.scale;
    p.gain = compiled.model.output_gain;
  }
  const std::vector<std::byte> weights = pack_weights(step, outputs, channels, how);
  made.weights_offset = append(compiled.constants, weights.data(), weights.size());
  std::vector<float> bias = step.bias;
  bias.resize(static_cast<std::size_t>(p.channel_blocks) * static_cast<std::size_t>(how.groups) * group_channels);
  made.bias_offset = append(compiled.constants, bias.data(), bias.size() * sizeof(float));
  compiled.steps.push_back(made);
}

} // namespace

result<compiled_network> compile(network model, enum precision precision) {
  if (auto checked = check(model, precision); !checked)
    return fail(checked.error());
  compiled_network compiled;
  compiled.precision = precision;
  // Added as a residual, the input must keep zeros in the channels that pad it.
  compiled.split_input = std::none_of(model.steps.begin(), model.steps.end(), [](const convolution& step) {
    return std::any_of(step.residuals.begin(), step.residuals.end(),
                       [](const convolution::residual& residual) { return residual.of == 0; });
  });
  compiled.model = std::move(model);
  const memory_plan places = plan_memory(lifetimes_of(compiled.model, precision));
  if (places.size > std::numeric_limits<std::uint16_t>::max())
    return fail(error_code::invalid_argument, "network " + compiled.model.name + " needs " + std::to_string(places.size) +
                                                  " planes of activations at once, more than 65535");
  compiled.arena_planes = places.size;
  compiled.input_plane = static_cast<std::uint16_t>(places.offsets[0]);
  for (std::size_t s = 0; s < compiled.model.steps.size(); ++s)
    compile_step(compiled, compiled.model.steps[s], places, s + 1 == compiled.model.steps.size());
  compiled.constants_bytes = compiled.constants.size();
  for (convolution& step : compiled.model.steps) {
    step.weights.clear();
    step.weights.shrink_to_fit();
  }
  return compiled;
}

std::uint64_t plane_bytes(const tile_batch& batch) {
  return rounded_up(static_cast<std::uint64_t>(batch.width) * static_cast<std::uint64_t>(batch.height) *
                        static_cast<std::uint64_t>(batch.count) * pixel_bytes,
                    std::uint64_t{constants_alignment});
}

std::uint64_t input_bytes(const tile_batch& batch) {
  return static_cast<std::uint64_t>(batch.width) * static_cast<std::uint64_t>(batch.height) *
         static_cast<std::uint64_t>(batch.count) * 3 * sizeof(float);
}

std::uint64_t output_bytes(const tile_batch& batch, int scale) {
  return input_bytes(batch) * static_cast<std::uint64_t>(scale) * static_cast<std::uint64_t>(scale);
}

workspace workspace_of(const compiled_network& compiled, const tile_batch& batch) {
  workspace space;
  const auto reserve = [&](std::uint64_t bytes) {
    const std::uint64_t at = space.bytes;
    space.bytes += rounded_up(bytes, stretch_alignment);
    return at;
  };
  space.arena = reserve(compiled.arena_planes * plane_bytes(batch));
  for (int slot = 0; slot < 2; ++slot) {
    space.input[slot] = reserve(input_bytes(batch));
    space.output[slot] = reserve(output_bytes(batch, compiled.model.scale));
  }
  return space;
}

std::uint64_t in_units(std::uint64_t bytes) { return rounded_up(bytes, allocation_unit); }

std::uint64_t device_bytes(const compiled_network& compiled, const tile_batch& batch) {
  const bool countable = batch.width >= 1 && batch.width <= tile_side_max && batch.height >= 1 && batch.height <= tile_side_max &&
                         batch.count >= 1 && batch.count <= at_once_max && plane_bytes(batch) <= plane_bytes_max;
  if (!countable)
    return std::numeric_limits<std::uint64_t>::max();
  return in_units(compiled.constants_bytes) + in_units(workspace_of(compiled, batch).bytes);
}

std::vector<launch> plan_launches(const compiled_network& compiled, const tile_batch& batch, int multiprocessors) {
  std::vector<launch> launches;
  for (const compiled_step& step : compiled.steps) {
    launch made{step.variant, 0, step.parameters, step.weights_offset, step.bias_offset, false};
    convolution_parameters& p = made.parameters;
    p.plane_bytes = plane_bytes(batch);
    p.width = batch.width;
    p.height = batch.height;
    p.tiles_across = (batch.width + tile_width - 1) / tile_width;
    const auto blocks_of = [&](int rows) {
      p.tiles_down = (batch.height + rows - 1) / rows;
      return static_cast<unsigned>(p.tiles_across) * static_cast<unsigned>(p.tiles_down) * static_cast<unsigned>(batch.count) *
             static_cast<unsigned>(p.channel_blocks);
    };
    made.blocks = blocks_of(16);
    // Large tiles read less at their borders, but two blocks must be there for each multiprocessor.
    const kernel_variant flat{step.variant.precision, step.variant.kernel, step.variant.groups, 8};
    if (made.blocks < 2U * static_cast<unsigned>(multiprocessors) && is_built(flat)) {
      made.variant = flat;
      made.blocks = blocks_of(8);
    }
    launches.push_back(made);
  }
  launches.back().last = true;
  return launches;
}

int preferred_count(const compiled_network& compiled, int width, int height, int multiprocessors, std::uint64_t cache_bytes) {
  const std::uint64_t one = plane_bytes({width, height, 1});
  std::uint64_t planes = 1;
  for (const compiled_step& step : compiled.steps)
    planes = std::max(planes, static_cast<std::uint64_t>(step.parameters.stages * planes_per_stage(step.variant.kernel) +
                                                         step.parameters.output_planes));
  const std::uint64_t cached = cache_bytes / (planes * one);
  const std::uint64_t blocks = static_cast<std::uint64_t>((width + 15) / 16) * static_cast<std::uint64_t>((height + 15) / 16);
  const std::uint64_t occupying = (static_cast<std::uint64_t>(multiprocessors) * 4 + blocks - 1) / blocks;
  return static_cast<int>(std::clamp(std::max(cached, occupying), std::uint64_t{1}, std::uint64_t{at_once_max}));
}

} // namespace ferry::upscale::cuda
