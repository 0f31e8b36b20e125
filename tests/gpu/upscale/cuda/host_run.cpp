#include "tests/gpu/upscale/cuda/host_run.hpp"

#include "gpu/upscale/compute/cuda/input_body.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

namespace ferry::upscale::cuda {

namespace {

template <class Numbers, class Shape>
void run_blocks(const launch& one, const std::vector<host_stretch>& memory, host_findings& findings) {
  for (unsigned block = 0; block < one.blocks; ++block) {
    host_machine machine(static_cast<int>(block), Shape::threads, Shape::shared_bytes, memory, findings);
    convolve<Numbers, Shape>(machine, one.parameters);
    if (!machine.nothing_under_way())
      findings.add("a block ends while copies are under way");
  }
}

template <enum precision Precision, class Numbers, int Kernel, int Groups, int Rows>
bool run_if_it_is(const launch& one, const std::vector<host_stretch>& memory, host_findings& findings) {
  constexpr kernel_variant variant{Precision, Kernel, Groups, Rows};
  if constexpr (is_built(variant)) {
    if (one.variant == variant) {
      run_blocks<Numbers, tile_shape<Kernel, Groups, Rows>>(one, memory, findings);
      return true;
    }
  }
  return false;
}

template <enum precision Precision, class Numbers, int Kernel>
bool run_with(const launch& one, const std::vector<host_stretch>& memory, host_findings& findings) {
  return run_if_it_is<Precision, Numbers, Kernel, 1, 8>(one, memory, findings) ||
         run_if_it_is<Precision, Numbers, Kernel, 1, 16>(one, memory, findings) ||
         run_if_it_is<Precision, Numbers, Kernel, 2, 8>(one, memory, findings) ||
         run_if_it_is<Precision, Numbers, Kernel, 2, 16>(one, memory, findings) ||
         run_if_it_is<Precision, Numbers, Kernel, 3, 8>(one, memory, findings) ||
         run_if_it_is<Precision, Numbers, Kernel, 3, 16>(one, memory, findings) ||
         run_if_it_is<Precision, Numbers, Kernel, 4, 8>(one, memory, findings) ||
         run_if_it_is<Precision, Numbers, Kernel, 4, 16>(one, memory, findings);
}

template <enum precision Precision, class Numbers>
bool run_in(const launch& one, const std::vector<host_stretch>& memory, host_findings& findings) {
  return run_with<Precision, Numbers, 1>(one, memory, findings) || run_with<Precision, Numbers, 3>(one, memory, findings) ||
         run_with<Precision, Numbers, 5>(one, memory, findings);
}

template <class Numbers>
void fill_input(const input_parameters& p, const std::vector<host_stretch>& memory, host_findings& findings) {
  host_machine machine(0, 1, 16, memory, findings);
  machine.wait_for_previous();
  for (std::uint64_t pixel = 0; pixel < p.pixels; ++pixel)
    fill_pixel<Numbers>(machine, p, pixel);
}

void run_launch(launch& one, const std::vector<host_stretch>& memory, host_findings& findings) {
  bool known = false;
  switch (one.variant.precision) {
  case precision::fp16: known = run_in<precision::fp16, fp16_numbers>(one, memory, findings); break;
  case precision::tf32: known = run_in<precision::tf32, tf32_numbers>(one, memory, findings); break;
  case precision::fp32: known = run_in<precision::fp32, fp32_numbers>(one, memory, findings); break;
  }
  if (!known)
    findings.add("a launch asks for a kernel that is not built");
}

// As the device's allocator aligns it.
struct aligned_bytes {
  explicit aligned_bytes(std::size_t count, std::byte fill)
      : bytes(static_cast<std::byte*>(std::aligned_alloc(256, (count + 255) / 256 * 256))), size(count) {
    std::fill_n(bytes.get(), count, fill);
  }
  struct release {
    void operator()(std::byte* at) const { std::free(at); }
  };
  std::unique_ptr<std::byte, release> bytes;
  std::size_t size;
};

} // namespace

host_result run_on_host(const compiled_network& compiled, const std::vector<tile>& inputs, int multiprocessors) {
  host_result answer;
  const tile_batch batch{inputs[0].width, inputs[0].height, static_cast<int>(inputs.size())};
  const workspace space = workspace_of(compiled, batch);
  const aligned_bytes work(space.bytes, std::byte{0xFF});
  const aligned_bytes constants(compiled.constants.size(), std::byte{0});
  std::copy(compiled.constants.begin(), compiled.constants.end(), constants.bytes.get());

  auto* const input = reinterpret_cast<float*>(work.bytes.get() + space.input[1]);
  for (std::size_t i = 0; i < inputs.size(); ++i)
    std::copy(inputs[i].rgb.begin(), inputs[i].rgb.end(), input + i * inputs[0].rgb.size());
  auto* const output = reinterpret_cast<float*>(work.bytes.get() + space.output[1]);
  const std::vector<host_stretch> memory = {{work.bytes.get() + space.arena, compiled.arena_planes * plane_bytes(batch), true},
                                            {reinterpret_cast<std::byte*>(input), input_bytes(batch), false},
                                            {reinterpret_cast<std::byte*>(output), output_bytes(batch, compiled.model.scale), true},
                                            {constants.bytes.get(), constants.size, false}};

  input_parameters into;
  into.picture = input;
  into.plane = work.bytes.get() + space.arena + compiled.input_plane * plane_bytes(batch);
  into.pixels = static_cast<std::uint64_t>(batch.width) * static_cast<std::uint64_t>(batch.height) * inputs.size();
  into.gain = compiled.model.input_gain;
  into.split = compiled.split_input ? 1 : 0;
  switch (compiled.precision) {
  case precision::fp16: fill_input<fp16_numbers>(into, memory, answer.findings); break;
  case precision::tf32: fill_input<tf32_numbers>(into, memory, answer.findings); break;
  case precision::fp32: fill_input<fp32_numbers>(into, memory, answer.findings); break;
  }
  for (launch& one : plan_launches(compiled, batch, multiprocessors)) {
    one.parameters.arena = work.bytes.get() + space.arena;
    one.parameters.weights = constants.bytes.get() + one.weights_offset;
    one.parameters.bias = reinterpret_cast<const float*>(constants.bytes.get() + one.bias_offset);
    one.parameters.picture = one.last ? output : nullptr;
    run_launch(one, memory, answer.findings);
  }
  const int scale = compiled.model.scale;
  const std::size_t numbers = inputs[0].rgb.size() * static_cast<std::size_t>(scale * scale);
  for (std::size_t i = 0; i < inputs.size(); ++i)
    answer.outputs.push_back(
        {batch.width * scale, batch.height * scale, std::vector<float>(output + i * numbers, output + (i + 1) * numbers)});
  return answer;
}

tile run_plainly(const network& model, const tile& input) {
  const int width = input.width;
  const int height = input.height;
  const auto pixels = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  std::vector<std::vector<double>> values(model.values.size());
  values[0].assign(input.rgb.begin(), input.rgb.end());
  for (double& number : values[0])
    number *= static_cast<double>(model.input_gain);
  for (const convolution& step : model.steps) {
    const auto outputs = static_cast<std::size_t>(model.values[static_cast<std::size_t>(step.output)].channels);
    std::vector<double> made(pixels * outputs);
    for (std::size_t pixel = 0; pixel < pixels; ++pixel)
      std::copy(step.bias.begin(), step.bias.end(), made.begin() + static_cast<std::ptrdiff_t>(pixel * outputs));
    const float* weights = step.weights.data();
    for (int tap = 0; tap < step.kernel * step.kernel; ++tap) {
      const int down = tap / step.kernel - step.kernel / 2;
      const int right = tap % step.kernel - step.kernel / 2;
      for (const int source : step.sources) {
        const auto channels = static_cast<std::size_t>(model.values[static_cast<std::size_t>(source)].channels);
        for (int y = std::max(0, -down); y < std::min(height, height - down); ++y) {
          for (int x = std::max(0, -right); x < std::min(width, width - right); ++x) {
            const double* from = values[static_cast<std::size_t>(source)].data() +
                                 static_cast<std::size_t>((y + down) * width + x + right) * channels;
            double* to = made.data() + static_cast<std::size_t>(y * width + x) * outputs;
            for (std::size_t channel = 0; channel < channels; ++channel) {
              for (std::size_t o = 0; o < outputs; ++o)
                to[o] += from[channel] * static_cast<double>(weights[channel * outputs + o]);
            }
          }
        }
        weights += channels * outputs;
      }
    }
    for (std::size_t i = 0; i < made.size(); ++i) {
      if (step.relu)
        made[i] = std::max(made[i], 0.0);
      for (const convolution::residual& residual : step.residuals)
        made[i] += static_cast<double>(residual.gain) * values[static_cast<std::size_t>(residual.of)][i];
    }
    values[static_cast<std::size_t>(step.output)] = std::move(made);
  }
  const int scale = model.scale;
  const std::vector<double>& last = values[static_cast<std::size_t>(model.steps.back().output)];
  tile output{width * scale, height * scale, std::vector<float>(pixels * 3 * static_cast<std::size_t>(scale * scale))};
  for (int y = 0; y < height * scale; ++y) {
    for (int x = 0; x < width * scale; ++x) {
      for (int colour = 0; colour < 3; ++colour) {
        const int channel = (y % scale * scale + x % scale) * 3 + colour;
        const auto from = static_cast<std::size_t>((y / scale * width + x / scale) * 3 * scale * scale + channel);
        output.rgb[static_cast<std::size_t>((y * width * scale + x) * 3 + colour)] =
            static_cast<float>(last[from] * static_cast<double>(model.output_gain));
      }
    }
  }
  return output;
}

double largest_difference(const tile& a, const tile& b) {
  if (a.width != b.width || a.height != b.height || a.rgb.size() != b.rgb.size())
    return std::numeric_limits<double>::infinity();
  double largest = 0;
  for (std::size_t i = 0; i < a.rgb.size(); ++i) {
    const double difference = std::abs(static_cast<double>(a.rgb[i]) - static_cast<double>(b.rgb[i]));
    if (!(difference <= largest)) // NaN too
      largest = std::isnan(difference) ? std::numeric_limits<double>::infinity() : difference;
  }
  return largest;
}

tile random_tile(int width, int height, std::uint64_t seed, bool exact) {
  random_numbers random(seed);
  tile made{width, height, std::vector<float>(static_cast<std::size_t>(width * height * 3))};
  for (float& number : made.rgb)
    number = static_cast<float>(exact ? random.between(0, 3) * 64 : random.between(0, 255));
  return made;
}

network make_network(int scale, const std::vector<layer>& layers, std::uint64_t seed, bool exact) {
  random_numbers random(seed);
  network model;
  model.name = "made up";
  model.scale = scale;
  model.input_gain = exact ? 1.0F / 64 : 1.0F / 255;
  model.output_gain = exact ? 64 : 255;
  model.values.push_back({3});
  for (const layer& one : layers) {
    convolution step;
    step.name = "layer " + std::to_string(model.steps.size());
    step.sources = one.sources;
    step.output = static_cast<int>(model.values.size());
    step.kernel = one.kernel;
    step.relu = one.relu;
    step.residuals = one.residuals;
    model.values.push_back({one.channels});
    const int inputs = model.input_channels(step);
    step.weights.resize(static_cast<std::size_t>(one.kernel * one.kernel * inputs * one.channels));
    // Exact: some six weights of ±1 a sum. Otherwise: so small that values neither grow nor vanish from layer to layer.
    const float size = 1.7F / std::sqrt(static_cast<float>(one.kernel * one.kernel * inputs));
    const int rarity = std::max(1, one.kernel * one.kernel * inputs / 6);
    for (float& weight : step.weights)
      weight = exact ? static_cast<float>(random.between(1, rarity) == 1 ? random.between(0, 1) * 2 - 1 : 0)
                     : (random.real() * 2 - 1) * size;
    step.bias.resize(static_cast<std::size_t>(one.channels));
    for (float& bias : step.bias)
      bias = exact ? static_cast<float>(random.between(-1, 1)) : (random.real() - 0.5F) * 0.2F;
    model.steps.push_back(std::move(step));
  }
  return model;
}

} // namespace ferry::upscale::cuda
