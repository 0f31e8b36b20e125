#include "gpu/upscale/compute/cpu/plan.hpp"

#include "gpu/upscale/compute/cpu/pack.hpp"

#include <algorithm>
#include <numeric>

namespace ferry::upscale {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

int blocks_of(int channels, int lanes) { return (channels + lanes - 1) / lanes; }

// Hands out planes and takes them back after the last step that reads their value.
class plane_pool {
public:
  plane_pool(const network& model, int lanes)
      : model_(model), lanes_(lanes), last_use_(model.values.size(), -1), held_(model.values.size()) {
    for (std::size_t i = 0; i < model.steps.size(); ++i) {
      for (const int source : model.steps[i].sources)
        last_use_[at(source)] = static_cast<int>(i);
      for (const auto& residual : model.steps[i].residuals)
        last_use_[at(residual.of)] = static_cast<int>(i);
    }
  }

  const std::vector<int>& take(int value) {
    for (int block = blocks_of(model_.values[at(value)].channels, lanes_); block > 0; --block) {
      if (free_.empty())
        free_.push_back(count_++);
      held_[at(value)].push_back(free_.back());
      free_.pop_back();
    }
    return held_[at(value)];
  }

  void give_back_after(int step) {
    for (std::size_t value = 0; value < held_.size(); ++value)
      if (last_use_[value] == step) {
        free_.insert(free_.end(), held_[value].begin(), held_[value].end());
        last_use_[value] = -1;
      }
  }

  [[nodiscard]] const std::vector<int>& of(int value) const { return held_[at(value)]; }
  [[nodiscard]] int count() const { return count_; }

private:
  const network& model_;
  int lanes_;
  std::vector<int> last_use_;
  std::vector<std::vector<int>> held_;
  std::vector<int> free_;
  int count_ = 0;
};

// Multiplications of whole vectors for a pixel decide; transforms cost about as much as 30 channels.
algorithm choose(const convolution& step, int inside, int outside, int lanes, bool is_last) {
  if (step.kernel == 1)
    return algorithm::direct;
  const int direct = 9 * blocks_of(outside, lanes) * lanes;
  const int narrow = blocks_of(9 * outside, lanes) * lanes;
  if (step.kernel == 3 && outside <= lanes && narrow * 4 < direct * 3 && inside >= 16)
    return algorithm::narrow;
  if (is_last && inside < 64)
    return algorithm::direct; // mostly zeros (see lowering.hpp), which direct convolution leaves out
  return inside >= 24 && outside >= 8 ? algorithm::winograd : algorithm::direct;
}

// A residual that is also a source of a 1×1 convolution is the identity in its weights: one plane less to read.
convolution folded(const network& model, const convolution& step) {
  convolution made = step;
  if (step.kernel != 1 || step.relu)
    return made;
  const int outside = model.values[at(step.output)].channels;
  std::erase_if(made.residuals, [&](const convolution::residual& residual) {
    int first = 0;
    for (const int source : step.sources) {
      if (source == residual.of) {
        for (int channel = 0; channel < outside; ++channel)
          made.weights[at(first + channel) * at(outside) + at(channel)] += residual.gain;
        return true;
      }
      first += model.values[at(source)].channels;
    }
    return false;
  });
  return made;
}

// The final step's channels, ordered by the taps that they need, so that those of one group need the same ones.
std::vector<int> final_order(const convolution& step, int inside, int outside) {
  const int taps = step.kernel * step.kernel;
  std::vector<std::uint32_t> needs(at(outside), 0);
  for (int tap = 0; tap < taps; ++tap)
    for (int i = 0; i < inside; ++i)
      for (int o = 0; o < outside; ++o)
        if (step.weights[(at(tap) * at(inside) + at(i)) * at(outside) + at(o)] != 0)
          needs[at(o)] |= 1U << static_cast<unsigned>(tap);
  std::vector<int> by_need(at(outside));
  std::iota(by_need.begin(), by_need.end(), 0);
  std::stable_sort(by_need.begin(), by_need.end(), [&](int a, int b) { return needs[at(a)] < needs[at(b)]; });
  std::vector<int> place(at(outside));
  for (int i = 0; i < outside; ++i)
    place[at(by_need[at(i)])] = i;
  return place;
}

void reorder_outputs(convolution& step, const std::vector<int>& place) {
  const std::size_t outside = place.size();
  const std::vector<float> weights = step.weights;
  const std::vector<float> bias = step.bias;
  for (std::size_t i = 0; i < weights.size(); ++i)
    step.weights[i / outside * outside + at(place[i % outside])] = weights[i];
  for (std::size_t i = 0; i < outside; ++i)
    step.bias[at(place[i])] = bias[i];
}

} // namespace

network_plan make_plan(const network& model, const kernels::table& kernels) {
  network_plan plan;
  plane_pool pool(model, kernels.lanes);
  plan.input_planes = pool.take(0);
  for (std::size_t i = 0; i < model.steps.size(); ++i) {
    const bool is_last = i + 1 == model.steps.size();
    convolution step = folded(model, model.steps[i]);
    step_plan planned;
    planned.channels = model.values[at(step.output)].channels;
    planned.reach = step.kernel / 2;
    planned.relu = step.relu;
    source_lanes sources;
    for (const int source : step.sources) {
      const int channels = model.values[at(source)].channels;
      for (int first = 0; first < channels; first += kernels.lanes)
        sources.channels.push_back(std::min(kernels.lanes, channels - first));
      planned.sources.insert(planned.sources.end(), pool.of(source).begin(), pool.of(source).end());
    }
    const int inside = model.input_channels(step);
    planned.how = choose(step, inside, planned.channels, kernels.lanes, is_last);
    if (is_last) {
      plan.final_order = final_order(step, inside, planned.channels);
      if (step.residuals.empty())
        reorder_outputs(step, plan.final_order);
      else
        std::iota(plan.final_order.begin(), plan.final_order.end(), 0);
    }
    pack(step, sources, kernels, planned);
    for (const auto& residual : step.residuals)
      planned.residuals.push_back({pool.of(residual.of), residual.gain});
    planned.outputs = pool.take(step.output);
    pool.give_back_after(static_cast<int>(i));
    plan.steps.push_back(std::move(planned));
  }
  plan.planes = pool.count();
  return plan;
}

} // namespace ferry::upscale
