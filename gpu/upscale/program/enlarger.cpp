#include "gpu/upscale/program/enlarger.hpp"

#include "gpu/upscale/image/blend.hpp"
#include "gpu/upscale/image/transparency.hpp"
#include "gpu/upscale/program/memory_size.hpp"

#include <algorithm>
#include <limits>

namespace ferry::upscale {
namespace {

constexpr std::uint64_t mib = 1024 * 1024;
constexpr std::uint64_t usual_host_bytes = 512 * mib;    // for tiles; a 4K result stays under 1 GiB with it
constexpr std::uint64_t usual_device_bytes = 4096 * mib; // more makes no GPU faster
constexpr std::uint64_t least_tile_bytes = 8 * mib;

// Samples of source and result, and the network's result as floats.
std::uint64_t picture_bytes(const picture& source, int scale) {
  const std::uint64_t channels = static_cast<std::uint64_t>(source.channels),
                      area = static_cast<std::uint64_t>(scale) * static_cast<std::uint64_t>(scale);
  return source.pixels() * (channels * 2 * (1 + area) + area * 3 * sizeof(float));
}

tile tile_of(const picture& source) {
  tile made{source.width, source.height, {}};
  made.rgb.assign(source.samples.begin(), source.samples.end());
  return made;
}

} // namespace

enlarger::enlarger(loaded_engine engine, int scale, double control_weight, std::optional<std::uint64_t> memory_bytes)
    : engine_(engine),
      scale_(scale),
      control_weight_(control_weight),
      memory_bytes_(memory_bytes),
      ceiling_(std::numeric_limits<std::uint64_t>::max()) {}

std::string enlarger::device() const { return engine_.compute != nullptr ? engine_.compute->description() : "CPU"; }

result<std::uint64_t> enlarger::tile_memory(const picture& source) const {
  if (engine_.on_gpu)
    return memory_bytes_.value_or(usual_device_bytes);
  if (!memory_bytes_)
    return usual_host_bytes;
  const std::uint64_t pictures = picture_bytes(source, scale_);
  if (pictures + least_tile_bytes > *memory_bytes_)
    return fail(error_code::out_of_memory,
                "enlarging " + std::to_string(source.width) + "x" + std::to_string(source.height) + " pixels " +
                    std::to_string(scale_) + " times takes " + memory_size_text(pictures + least_tile_bytes) +
                    ", and it may take " + memory_size_text(*memory_bytes_),
                "give it more with --memory, or take a smaller scale");
  return *memory_bytes_ - pictures;
}

// Calls work(plan), with plans for less and less memory for as long as there is too little.
template <class Work>
auto enlarger::with_less_and_less_memory(const picture& source, Work work) {
  using answer = decltype(work(tile_plan{}));
  auto budget = tile_memory(source);
  if (!budget)
    return answer(fail(std::move(budget.error())));
  for (std::uint64_t bytes = std::min(*budget, ceiling_);; bytes /= 2) {
    const auto plan = plan_tiles(*engine_.compute, source.width, source.height, bytes);
    if (!plan)
      return answer(fail(plan.error()));
    auto done = work(*plan);
    if (done || done.error().code != error_code::out_of_memory)
      return done;
    ceiling_ = bytes / 2; // the pictures that follow need not try again
  }
}

result<picture> enlarger::enlarge(picture source, const tile_progress& progress) {
  if (source.has_alpha())
    fill_transparent(source);
  if (engine_.compute == nullptr) {
    if (!progress(0, 1))
      return fail(error_code::unavailable, "stopped");
    picture made = blend(source, scale_, 0, {});
    (void)progress(1, 1);
    return made;
  }
  auto network = with_less_and_less_memory(
      source, [&](const tile_plan& plan) { return enlarge_colours(*engine_.compute, source, plan, progress); });
  if (!network)
    return fail(std::move(network.error()));
  return blend(source, scale_, control_weight_, network->rgb);
}

result<std::vector<picture>> enlarger::enlarge_together(const std::vector<picture>& sources, const std::function<bool()>& go_on) {
  std::vector<picture> made;
  const auto one_by_one = [&]() -> result<std::vector<picture>> {
    for (const picture& source : sources) {
      auto one = enlarge(source, [&go_on](int, int) { return go_on(); });
      if (!one)
        return fail(std::move(one.error()));
      made.push_back(std::move(*one));
    }
    return std::move(made);
  };
  if (engine_.compute == nullptr || sources.size() < 2)
    return one_by_one();
  const picture& first = sources.front();
  std::vector<tile> inputs, outputs(sources.size());
  bool is_whole = true;
  auto done = with_less_and_less_memory(first, [&](const tile_plan& plan) -> result<void> {
    is_whole = plan.tile_pixels >= std::max(first.width, first.height);
    if (!is_whole)
      return {};
    if (inputs.empty())
      std::transform(sources.begin(), sources.end(), std::back_inserter(inputs), tile_of);
    return engine_.compute->enlarge(inputs, outputs, [&go_on](std::size_t) { return go_on(); });
  });
  if (!done)
    return fail(std::move(done.error()));
  if (!is_whole)
    return one_by_one();
  for (std::size_t i = 0; i < sources.size(); ++i)
    made.push_back(blend(sources[i], scale_, control_weight_, outputs[i].rgb));
  return made;
}

} // namespace ferry::upscale
