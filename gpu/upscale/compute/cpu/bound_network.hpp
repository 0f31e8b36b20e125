// A plan bound to one size of picture: the planes are allocated and the kernels' structures point into them.
#pragma once

#include "gpu/upscale/compute/cpu/plan.hpp"
#include "gpu/upscale/compute/cpu/team.hpp"
#include "gpu/upscale/compute/engine.hpp"

#include <atomic>
#include <cstdint>
#include <vector>

namespace ferry::upscale {

class bound_network {
public:
  // `plan` must outlive this. Throws std::bad_alloc.
  bound_network(const network& model, const network_plan& plan, const kernels::table& kernels, int width, int height, int threads);

  [[nodiscard]] bool is_for(int width, int height) const { return at_.width == width && at_.height == height; }

  // Computes one tile; `to` has the enlarged size already.
  void compute(team& workers, const tile& from, tile& to);

  // Bytes that an object for this size holds.
  [[nodiscard]] static std::uint64_t memory_bytes(const network_plan& plan, const kernels::table& kernels, int width, int height,
                                                  int threads);

private:
  struct bound_step {
    algorithm how = algorithm::direct;
    std::vector<const float*> inputs;
    std::vector<float*> outputs;
    std::vector<std::vector<const float*>> residual_planes;
    std::vector<std::vector<kernels::segment>> segments;
    std::vector<kernels::group> groups;
    kernels::direct_step direct;
    kernels::narrow_step narrow;
    kernels::winograd_step winograd;
    int units = 0; // pieces of work that threads take
    int items = 0; // rows or tiles
    int items_of_a_unit = 0;
  };

  bound_step bind(const step_plan& step);
  void bind_units(bound_step& bound, const step_plan& step);
  float* plane(int index);
  void work(int thread, team& workers, const tile& from, tile& to);
  void compute_unit(const bound_step& step, int unit, float* scratch) const;
  void read_rows(const tile& from, int row_begin, int row_end);
  void write_rows(tile& to, int row_begin, int row_end) const;

  const network& model_;
  const network_plan& plan_;
  const kernels::table& kernels_;
  int threads_;
  kernels::geometry at_;
  aligned_floats planes_;
  std::size_t plane_floats_ = 0;
  std::size_t origin_ = 0; // of pixel (0, 0) in a plane
  std::vector<bound_step> steps_;
  std::vector<aligned_floats> scratch_; // one a thread
  std::vector<std::atomic<int>> next_;  // unit of each step; the first and the last are reading and writing
};

} // namespace ferry::upscale
