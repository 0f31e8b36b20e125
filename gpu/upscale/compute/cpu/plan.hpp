// How one network is computed by one table of kernels: for each convolution the way that is fastest, its weights in the order in
// which the kernels read them, and which planes hold which value when. Independent of the size of the picture.
#pragma once

#include "gpu/upscale/compute/cpu/aligned_floats.hpp"
#include "gpu/upscale/compute/cpu/kernels.hpp"
#include "gpu/upscale/network/network.hpp"

#include <vector>

namespace ferry::upscale {

// One tap of one source plane, before it is known where planes lie.
struct planned_tap {
  int source = 0; // index into step_plan::sources
  int dx = 0;
  int dy = 0;
  int channels = 0;
};

struct planned_group {
  int first_block = 0;
  int vectors = 1;
  std::vector<planned_tap> taps;
  std::size_t weights_at = 0; // into step_plan::weights
};

enum class algorithm { direct, narrow, winograd };

struct step_plan {
  algorithm how = algorithm::direct;
  std::vector<int> sources;          // planes
  std::vector<int> outputs;          // planes
  std::vector<planned_group> groups; // direct, narrow
  aligned_floats weights;
  aligned_floats bias; // in whole blocks
  bool relu = false;
  struct residual {
    std::vector<int> planes;
    float gain = 1;
  };
  std::vector<residual> residuals;
  int channels = 0;       // of the output
  int partial_blocks = 0; // narrow
  int alpha = 0;          // Winograd
  int reach = 0;
};

struct network_plan {
  std::vector<step_plan> steps;
  int planes = 0;                // in use at once, at most
  std::vector<int> input_planes; // of value 0
  // Where channel c of the last step's output lies: lane final_order[c] % lanes of plane steps.back().outputs[final_order[c] /
  // lanes].
  std::vector<int> final_order;
};

// Throws std::bad_alloc.
[[nodiscard]] network_plan make_plan(const network& model, const kernels::table& kernels);

} // namespace ferry::upscale
