#include "gpu/upscale/compute/cpu/cpu_engine.hpp"

#include "gpu/upscale/compute/cpu/bound_network.hpp"
#include "gpu/upscale/compute/cpu/instruction_sets.hpp"
#include "gpu/upscale/compute/cpu/plan.hpp"
#include "gpu/upscale/compute/cpu/team.hpp"

#include <new>
#include <optional>
#include <system_error>
#include <utility>

namespace ferry::upscale {
namespace {

constexpr int threads_max = 1'024;
constexpr int tile_pixels_max = 65'536; // width or height

std::size_t at(int index) { return static_cast<std::size_t>(index); }

class cpu_engine final : public engine {
public:
  cpu_engine(network model, instruction_set set, int threads)
      : model_(std::move(model)), set_(set), kernels_(kernels_for(set)), plan_(make_plan(model_, kernels_)), team_(threads) {
    // The engines need none of it again.
    for (convolution& step : model_.steps)
      weight_bytes_ += step.weights.size() * sizeof(float);
  }

  [[nodiscard]] std::string description() const override {
    const int threads = team_.threads();
    return std::string("CPU, ") + name_of(set_) + ", " + std::to_string(threads) + (threads == 1 ? " thread" : " threads");
  }

  [[nodiscard]] const network& model() const override { return model_; }

  [[nodiscard]] std::uint64_t memory_bytes(int width, int height, int at_once) const override {
    const std::uint64_t pixels = std::uint64_t{at(width)} * at(height);
    const std::uint64_t enlarged = pixels * at(model_.scale) * at(model_.scale);
    std::uint64_t weights = weight_bytes_;
    for (const step_plan& step : plan_.steps)
      weights += step.weights.size() * sizeof(float);
    return weights + bound_network::memory_bytes(plan_, kernels_, width, height, team_.threads()) +
           at(at_once) * (pixels + enlarged) * 3 * sizeof(float);
  }

  [[nodiscard]] result<void> enlarge(std::span<const tile> inputs, std::span<tile> outputs,
                                     const std::function<bool(std::size_t)>& on_tile) override {
    if (auto checked = check(inputs, outputs); !checked)
      return checked;
    try {
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        enlarge_one(inputs[i], outputs[i]);
        if (on_tile && !on_tile(i))
          return fail(error_code::unavailable,
                      "stopped after " + std::to_string(i + 1) + " of " + std::to_string(inputs.size()) + " tiles");
      }
      return {};
    } catch (const std::bad_alloc&) {
      bound_.reset();
      return fail(error_code::out_of_memory,
                  "no memory for a tile of " + std::to_string(inputs[0].width) + " × " + std::to_string(inputs[0].height) +
                      " pixels, which needs " + std::to_string(memory_bytes(inputs[0].width, inputs[0].height, 1) / (1024 * 1024)) +
                      " MiB",
                  "smaller tiles need less");
    }
  }

private:
  [[nodiscard]] static result<void> check(std::span<const tile> inputs, std::span<tile> outputs) {
    if (inputs.size() != outputs.size())
      return fail(error_code::invalid_argument,
                  std::to_string(inputs.size()) + " tiles cannot be computed into " + std::to_string(outputs.size()) + " results");
    for (const tile& one : inputs) {
      if (one.width < 1 || one.height < 1 || one.width > tile_pixels_max || one.height > tile_pixels_max ||
          one.rgb.size() != at(one.width) * at(one.height) * 3)
        return fail(error_code::invalid_argument, "a tile of " + std::to_string(one.width) + " × " + std::to_string(one.height) +
                                                      " pixels with " + std::to_string(one.rgb.size()) + " samples is not one");
      if (one.width != inputs[0].width || one.height != inputs[0].height)
        return fail(error_code::invalid_argument, "tiles that are computed together have one size");
    }
    return {};
  }

  void enlarge_one(const tile& input, tile& output) {
    if (!bound_ || !bound_->is_for(input.width, input.height)) {
      bound_.reset(); // before the new one: the two need not lie in memory together
      bound_.emplace(model_, plan_, kernels_, input.width, input.height, team_.threads());
    }
    output.width = input.width * model_.scale;
    output.height = input.height * model_.scale;
    output.rgb.resize(at(output.width) * at(output.height) * 3);
    bound_->compute(team_, input, output);
  }

  network model_;
  instruction_set set_;
  const kernels::table& kernels_;
  network_plan plan_;
  team team_;
  std::uint64_t weight_bytes_ = 0;
  std::optional<bound_network> bound_;
};

} // namespace

result<std::unique_ptr<engine>> make_cpu_engine(network model, const cpu_options& options) {
  if (options.threads < 1 || options.threads > threads_max)
    return fail(error_code::invalid_argument,
                "threads = " + std::to_string(options.threads) + " is not from 1 to " + std::to_string(threads_max));
  const instruction_set set = options.instructions.value_or(best_instruction_set());
  if (set > best_instruction_set())
    return fail(error_code::unavailable, std::string("this processor has no ") + name_of(set),
                std::string("the best that it has is ") + name_of(best_instruction_set()));
  if (model.steps.empty())
    return fail(error_code::invalid_argument, "the network has no steps");
  try {
    return std::make_unique<cpu_engine>(std::move(model), set, options.threads);
  } catch (const std::bad_alloc&) { return fail(error_code::out_of_memory, "no memory for the network's weights"); }
}

} // namespace ferry::upscale
