// Networks of the packages' shapes with random weights, to measure speed where a package is not installed.
#pragma once

#include "gpu/upscale/network/network.hpp"
#include "model/error.hpp"

namespace ferry::upscale {

[[nodiscard]] result<network> stand_in(const std::string& name, int scale);

} // namespace ferry::upscale
