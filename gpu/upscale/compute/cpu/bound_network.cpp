#include "gpu/upscale/compute/cpu/bound_network.hpp"

#include <algorithm>

namespace ferry::upscale {
namespace {

using kernels::border_after;
using kernels::border_before;

std::size_t at(int index) { return static_cast<std::size_t>(index); }

constexpr int rows_of_a_unit = 4;
// What the gathered tiles and their products may take: most of an L2 cache, less the weights that pass through.
constexpr std::size_t winograd_bytes = 1024 * 1024;

std::size_t row_floats(int width, int lanes) { return at(width + border_before + border_after) * at(lanes); }

// A few lines more than needed, so that planes do not all start at the same place of a cache's sets.
std::size_t plane_floats(int width, int height, int lanes) {
  const std::size_t floats = row_floats(width, lanes) * at(height + border_before + border_after);
  return (floats + 15) / 16 * 16 + 5 * 16;
}

int tiles_at_once(const step_plan& step, const kernels::table& kernels) {
  const std::size_t one =
      at(step.alpha * step.alpha) * (step.sources.size() + step.outputs.size()) * at(kernels.lanes) * sizeof(float);
  const int together = kernels.tiles_together;
  const int fitting = static_cast<int>(std::min<std::size_t>(winograd_bytes / one, 48));
  return std::max(fitting / together, 2) * together;
}

kernels::winograd_step winograd_sizes(const step_plan& step, const kernels::table& kernels) {
  kernels::winograd_step sizes;
  sizes.alpha = step.alpha;
  sizes.reach = step.reach;
  sizes.in_blocks = static_cast<int>(step.sources.size());
  sizes.out_blocks = static_cast<int>(step.outputs.size());
  sizes.tiles_at_once = tiles_at_once(step, kernels);
  return sizes;
}

std::size_t scratch_floats(const step_plan& step, const kernels::table& kernels, int width) {
  if (step.how == algorithm::winograd)
    return kernels::winograd_scratch_floats(winograd_sizes(step, kernels), kernels.lanes);
  if (step.how == algorithm::narrow) {
    kernels::narrow_step sizes;
    sizes.at.width = width;
    sizes.partial_blocks = step.partial_blocks;
    return kernels::narrow_scratch_floats(sizes, kernels.lanes);
  }
  return 0;
}

std::size_t most_scratch_floats(const network_plan& plan, const kernels::table& kernels, int width) {
  std::size_t most = 0;
  for (const step_plan& step : plan.steps)
    most = std::max(most, scratch_floats(step, kernels, width));
  return most;
}

} // namespace

bound_network::bound_network(const network& model, const network_plan& plan, const kernels::table& kernels, int width, int height,
                             int threads)
    : model_(model),
      plan_(plan),
      kernels_(kernels),
      threads_(threads),
      at_{width, height, static_cast<std::ptrdiff_t>(row_floats(width, kernels.lanes))},
      plane_floats_(plane_floats(width, height, kernels.lanes)),
      origin_(border_before * row_floats(width, kernels.lanes) + at(border_before * kernels.lanes)),
      next_(plan.steps.size() + 2) {
  planes_ = aligned_floats(plane_floats_ * at(plan.planes));
  for (const step_plan& step : plan.steps)
    steps_.push_back(bind(step));
  for (int thread = 0; thread < threads; ++thread)
    scratch_.emplace_back(most_scratch_floats(plan, kernels, width));
}

float* bound_network::plane(int index) { return planes_.data() + at(index) * plane_floats_ + origin_; }

bound_network::bound_step bound_network::bind(const step_plan& step) {
  bound_step bound;
  bound.how = step.how;
  for (const int source : step.sources)
    bound.inputs.push_back(plane(source));
  for (const int output : step.outputs)
    bound.outputs.push_back(plane(output));
  kernels::epilogue end;
  end.outputs = bound.outputs.data(); // vectors keep their elements' places when they are moved
  end.bias = step.bias.data();
  end.relu = step.relu;
  for (const auto& residual : step.residuals) {
    auto& planes = bound.residual_planes.emplace_back();
    for (const int index : residual.planes)
      planes.push_back(plane(index));
    end.residuals[end.residual_count++] = {planes.data(), residual.gain};
  }
  for (const planned_group& group : step.groups) {
    auto& segments = bound.segments.emplace_back();
    for (const planned_tap& tap : group.taps)
      segments.push_back({bound.inputs[at(tap.source)] + tap.dy * at_.row + tap.dx * kernels_.lanes, tap.channels});
    bound.groups.push_back({group.first_block, group.vectors, segments.data(), static_cast<int>(segments.size()),
                            step.weights.data() + group.weights_at});
  }
  const int group_count = static_cast<int>(bound.groups.size());
  bound.direct = {at_, bound.groups.data(), group_count, end};
  bound.narrow = {at_, bound.groups.data(), group_count, step.partial_blocks, step.channels, end};
  if (step.how == algorithm::winograd) {
    bound.winograd = winograd_sizes(step, kernels_);
    bound.winograd.at = at_;
    bound.winograd.inputs = bound.inputs.data();
    bound.winograd.weights = step.weights.data();
    bound.winograd.end = end;
    bound.winograd.tiles_across = (at_.width + kernels::winograd_tile - 1) / kernels::winograd_tile;
    bound.winograd.tile_count = bound.winograd.tiles_across * ((at_.height + kernels::winograd_tile - 1) / kernels::winograd_tile);
  }
  bind_units(bound, step);
  return bound;
}

void bound_network::bind_units(bound_step& bound, const step_plan& step) {
  bound.items = at_.height;
  bound.items_of_a_unit = rows_of_a_unit;
  if (step.how == algorithm::narrow)
    bound.items_of_a_unit = kernels::narrow_rows_at_once;
  if (step.how == algorithm::winograd) {
    bound.items = bound.winograd.tile_count;
    bound.items_of_a_unit = bound.winograd.tiles_at_once;
  }
  bound.units = (bound.items + bound.items_of_a_unit - 1) / bound.items_of_a_unit;
  if (bound.units < threads_) {
    bound.items_of_a_unit = std::max(1, bound.items / threads_);
    bound.units = (bound.items + bound.items_of_a_unit - 1) / bound.items_of_a_unit;
  }
}

void bound_network::compute(team& workers, const tile& from, tile& to) {
  for (auto& next : next_)
    next.store(0, std::memory_order_relaxed);
  workers.run([&](int thread) { work(thread, workers, from, to); });
}

void bound_network::work(int thread, team& workers, const tile& from, tile& to) {
  const auto share = [&](std::size_t phase, int units, const auto& one) {
    for (int unit = next_[phase].fetch_add(1, std::memory_order_relaxed); unit < units;
         unit = next_[phase].fetch_add(1, std::memory_order_relaxed))
      one(unit);
    if (threads_ > 1)
      workers.wait_for_all();
  };
  const int row_units = (at_.height + rows_of_a_unit - 1) / rows_of_a_unit;
  const auto rows = [&](int unit, const auto& use) {
    use(unit * rows_of_a_unit, std::min((unit + 1) * rows_of_a_unit, at_.height));
  };
  share(0, row_units, [&](int unit) { rows(unit, [&](int begin, int end) { read_rows(from, begin, end); }); });
  for (std::size_t s = 0; s < steps_.size(); ++s)
    share(s + 1, steps_[s].units, [&](int unit) { compute_unit(steps_[s], unit, scratch_[at(thread)].data()); });
  share(steps_.size() + 1, row_units, [&](int unit) { rows(unit, [&](int begin, int end) { write_rows(to, begin, end); }); });
}

void bound_network::compute_unit(const bound_step& step, int unit, float* scratch) const {
  const int begin = unit * step.items_of_a_unit;
  const int end = std::min(begin + step.items_of_a_unit, step.items);
  switch (step.how) {
  case algorithm::direct: return kernels_.direct_rows(step.direct, begin, end);
  case algorithm::narrow: return kernels_.narrow_rows(step.narrow, begin, end, scratch);
  case algorithm::winograd: return kernels_.winograd_tiles(step.winograd, begin, end, scratch);
  }
}

void bound_network::read_rows(const tile& from, int row_begin, int row_end) {
  float* const into = plane(plan_.input_planes[0]);
  for (int y = row_begin; y < row_end; ++y)
    for (int x = 0; x < at_.width; ++x) {
      float* pixel = into + y * at_.row + x * kernels_.lanes;
      const float* colours = from.rgb.data() + (at(y) * at(at_.width) + at(x)) * 3;
      for (int c = 0; c < 3; ++c)
        pixel[c] = colours[c] * model_.input_gain;
    }
}

void bound_network::write_rows(tile& to, int row_begin, int row_end) const {
  const int scale = model_.scale;
  const bound_step& last = steps_.back();
  // For one row of an enlarged pixel: the plane and lane of each colour.
  std::vector<const float*> places(plan_.final_order.size());
  for (std::size_t c = 0; c < places.size(); ++c)
    places[c] = last.outputs[at(plan_.final_order[c] / kernels_.lanes)] + plan_.final_order[c] % kernels_.lanes;
  const int row_colours = 3 * scale;
  for (int y = row_begin; y < row_end; ++y)
    for (int dy = 0; dy < scale; ++dy) {
      float* colours = to.rgb.data() + at(y * scale + dy) * at(to.width) * 3;
      const float* const* row = places.data() + at(dy * row_colours);
      for (int x = 0; x < at_.width; ++x, colours += row_colours)
        for (int c = 0; c < row_colours; ++c)
          colours[c] = row[c][y * at_.row + x * kernels_.lanes] * model_.output_gain;
    }
}

std::uint64_t bound_network::memory_bytes(const network_plan& plan, const kernels::table& kernels, int width, int height,
                                          int threads) {
  const std::size_t planes = plane_floats(width, height, kernels.lanes) * at(plan.planes);
  return (planes + at(threads) * most_scratch_floats(plan, kernels, width)) * sizeof(float);
}

} // namespace ferry::upscale
