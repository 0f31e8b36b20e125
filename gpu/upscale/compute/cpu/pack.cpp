#include "gpu/upscale/compute/cpu/pack.hpp"

#include <algorithm>

namespace ferry::upscale {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

int blocks_of(int channels, int lanes) { return (channels + lanes - 1) / lanes; }

// weights[tap][in][out] of a convolution.
class weight_reader {
public:
  weight_reader(const std::vector<float>& weights, int inside, int outside)
      : weights_(weights), inside_(inside), outside_(outside) {}
  [[nodiscard]] const float* row(int tap, int in) const {
    return weights_.data() + (at(tap) * at(inside_) + at(in)) * at(outside_);
  }
  [[nodiscard]] int inside() const { return inside_; }
  [[nodiscard]] int outside() const { return outside_; }

private:
  const std::vector<float>& weights_;
  int inside_;
  int outside_;
};

// True when some weight of this tap and these channels is not zero.
bool is_used(const weight_reader& weights, int tap, int first_in, int channels, int first_out, int outputs) {
  for (int i = 0; i < channels; ++i) {
    const float* row = weights.row(tap, first_in + i);
    if (std::any_of(row + first_out, row + std::min(first_out + outputs, weights.outside()), [](float w) { return w != 0; }))
      return true;
  }
  return false;
}

// One group of blocks for a direct convolution; taps whose weights are all zero are left out.
planned_group make_group(const weight_reader& weights, const source_lanes& sources, int kernel, int lanes, int first_block,
                         int vectors, std::vector<float>& packed) {
  planned_group group{first_block, vectors, {}, packed.size()};
  const int reach = kernel / 2;
  const int outputs = vectors * lanes;
  for (int tap = 0; tap < kernel * kernel; ++tap) {
    int first_in = 0;
    for (std::size_t s = 0; s < sources.channels.size(); ++s) {
      const int channels = sources.channels[s];
      if (is_used(weights, tap, first_in, channels, first_block * lanes, outputs)) {
        group.taps.push_back({static_cast<int>(s), tap % kernel - reach, tap / kernel - reach, channels});
        for (int i = 0; i < channels; ++i) {
          const float* row = weights.row(tap, first_in + i);
          for (int o = first_block * lanes; o < first_block * lanes + outputs; ++o)
            packed.push_back(o < weights.outside() ? row[o] : 0.0F);
        }
      }
      first_in += channels;
    }
  }
  return group;
}

aligned_floats aligned(const std::vector<float>& floats) {
  aligned_floats made(floats.size());
  std::copy(floats.begin(), floats.end(), made.data());
  return made;
}

void pack_groups(const weight_reader& weights, const source_lanes& sources, int kernel, const kernels::table& kernels,
                 step_plan& planned) {
  std::vector<float> packed;
  const int blocks = blocks_of(weights.outside(), kernels.lanes);
  for (int first = 0; first < blocks; first += kernels.vectors_max)
    planned.groups.push_back(
        make_group(weights, sources, kernel, kernels.lanes, first, std::min(kernels.vectors_max, blocks - first), packed));
  planned.weights = aligned(packed);
}

// 3×3 to a few channels as 1×1 to nine times as many: output channel tap * outside + o.
void pack_narrow(const convolution& step, const weight_reader& weights, const source_lanes& sources, const kernels::table& kernels,
                 step_plan& planned) {
  const int outside = weights.outside();
  std::vector<float> spread(step.weights.size());
  for (int tap = 0; tap < 9; ++tap)
    for (int i = 0; i < weights.inside(); ++i)
      std::copy_n(weights.row(tap, i), outside, spread.data() + at(i) * at(9 * outside) + at(tap * outside));
  pack_groups(weight_reader(spread, weights.inside(), 9 * outside), sources, 1, kernels, planned);
  planned.partial_blocks = blocks_of(9 * outside, kernels.lanes);
}

// G of Winograd's filtering for the points 0, ±1, ±2 (, ±1/2), ∞: row p is normal * (1, p, p², …).
std::vector<std::vector<double>> filter_transform(int alpha, int kernel) {
  struct point {
    double value, normal;
  };
  const std::vector<point> six{{0, 1.0 / 4}, {1, -1.0 / 6}, {-1, -1.0 / 6}, {2, 1.0 / 24}, {-2, 1.0 / 24}};
  const std::vector<point> eight{{0, 1.0},       {1, -2.0 / 9},    {-1, -2.0 / 9},   {2, 1.0 / 90},
                                 {-2, 1.0 / 90}, {0.5, 32.0 / 45}, {-0.5, 32.0 / 45}};
  std::vector<std::vector<double>> rows;
  for (const point& p : alpha == 6 ? six : eight) {
    std::vector<double>& row = rows.emplace_back(at(kernel));
    double power = p.normal;
    for (double& element : row) {
      element = power;
      power *= p.value;
    }
  }
  rows.emplace_back(at(kernel), 0.0).back() = 1;
  return rows;
}

// G g Gᵀ of one filter into `to`, alpha² numbers. `g` is read every `stride` floats.
void transform_filter(const std::vector<std::vector<double>>& transform, const float* g, std::size_t stride, double* to) {
  const std::size_t alpha = transform.size();
  const std::size_t kernel = transform[0].size();
  double half[8][5]; // alpha × kernel
  for (std::size_t a = 0; a < alpha; ++a)
    for (std::size_t x = 0; x < kernel; ++x) {
      half[a][x] = 0;
      for (std::size_t y = 0; y < kernel; ++y)
        half[a][x] += transform[a][y] * static_cast<double>(g[(y * kernel + x) * stride]);
    }
  for (std::size_t a = 0; a < alpha; ++a)
    for (std::size_t b = 0; b < alpha; ++b) {
      double sum = 0;
      for (std::size_t x = 0; x < kernel; ++x)
        sum += half[a][x] * transform[b][x];
      to[a * alpha + b] = sum;
    }
}

void pack_winograd(const weight_reader& weights, int kernel, const source_lanes& sources, const kernels::table& kernels,
                   step_plan& planned) {
  planned.alpha = upscale::kernels::winograd_tile + kernel - 1;
  const auto transform = filter_transform(planned.alpha, kernel);
  const int lanes = kernels.lanes;
  const std::size_t points = at(planned.alpha) * at(planned.alpha);
  const int blocks = blocks_of(weights.outside(), lanes);
  const std::size_t in_lanes = sources.channels.size() * at(lanes);
  const std::size_t point_floats = in_lanes * at(blocks * lanes);
  planned.weights = aligned_floats(points * point_floats);
  std::vector<double> transformed(points);
  int first_in = 0;
  for (std::size_t s = 0; s < sources.channels.size(); ++s) {
    for (int i = 0; i < sources.channels[s]; ++i)
      for (int o = 0; o < weights.outside(); ++o) {
        transform_filter(transform, weights.row(0, first_in + i) + o, at(weights.inside()) * at(weights.outside()),
                         transformed.data());
        const int first_block = o / lanes / kernels.vectors_max * kernels.vectors_max;
        const int vectors = std::min(kernels.vectors_max, blocks - first_block);
        float* to = planned.weights.data() + in_lanes * at(first_block * lanes) + (s * at(lanes) + at(i)) * at(vectors * lanes) +
                    at(o - first_block * lanes);
        for (std::size_t p = 0; p < points; ++p)
          to[p * point_floats] = static_cast<float>(transformed[p]);
      }
    first_in += sources.channels[s];
  }
}

} // namespace

void pack(const convolution& step, const source_lanes& sources, const kernels::table& kernels, step_plan& planned) {
  int inside = 0;
  for (const int channels : sources.channels)
    inside += channels;
  const weight_reader weights(step.weights, inside, planned.channels);
  planned.bias = aligned_floats(at(blocks_of(planned.channels, kernels.lanes) * kernels.lanes));
  std::copy(step.bias.begin(), step.bias.end(), planned.bias.data());
  switch (planned.how) {
  case algorithm::direct: return pack_groups(weights, sources, step.kernel, kernels, planned);
  case algorithm::narrow: return pack_narrow(step, weights, sources, kernels, planned);
  case algorithm::winograd: return pack_winograd(weights, step.kernel, sources, kernels, planned);
  }
}

} // namespace ferry::upscale
