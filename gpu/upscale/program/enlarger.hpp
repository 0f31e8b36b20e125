// Enlarges pictures: the network through an engine, tile by tile within the memory there is, and Lanczos, blended. Where an engine
// runs out of memory it is asked again for smaller tiles.
#pragma once

#include "gpu/upscale/compute/enlarge.hpp"
#include "gpu/upscale/image/picture.hpp"
#include "gpu/upscale/program/engines.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace ferry::upscale {

class enlarger {
public:
  // `engine.compute` may be null where control_weight is 0, and outlives this otherwise. `memory_bytes` as compute_options has it.
  enlarger(loaded_engine engine, int scale, double control_weight, std::optional<std::uint64_t> memory_bytes);

  // `progress` as enlarge_colours() calls it; false stops with code `unavailable`. Errors: out_of_memory when not even the smallest
  // tile fits, internal.
  [[nodiscard]] result<picture> enlarge(picture source, const tile_progress& progress);

  // Pictures of one size and three channels, several a launch where the engine has room for them.
  [[nodiscard]] result<std::vector<picture>> enlarge_together(const std::vector<picture>& sources,
                                                              const std::function<bool()>& go_on);
  [[nodiscard]] int worthwhile_at_once() const { return engine_.on_gpu ? 8 : 1; }

  [[nodiscard]] std::string device() const;

private:
  [[nodiscard]] result<std::uint64_t> tile_memory(const picture& source) const;
  template <class Work>
  [[nodiscard]] auto with_less_and_less_memory(const picture& source, Work work);

  loaded_engine engine_;
  int scale_;
  double control_weight_;
  std::optional<std::uint64_t> memory_bytes_;
  std::uint64_t ceiling_; // what has not been found to be too much
};

} // namespace ferry::upscale
