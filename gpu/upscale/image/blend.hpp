// The result's pixels: (1 - control_weight) * Lanczos + control_weight * network for each colour, clamped and rounded to the
// source's depth.
//
// Alpha is enlarged by Lanczos, whatever the weight: networks know nothing of it. Lanczos of colours that have alpha is taken of
// colour times alpha and divided by the enlarged alpha, since only so enlarging and laying over a background can change places;
// what is nearly transparent then counts little and no fringe appears. The network, which is not linear, sees colours as they are,
// with those under full transparency filled in from their neighbours (transparency.hpp). Where the result is fully transparent its
// colours are 0. Grey stays grey: the mean of the network's three colours counts.
#pragma once

#include "gpu/upscale/image/picture.hpp"

#include <span>

namespace ferry::upscale {

// `network`: the network's result, three floats of 0–255 a pixel, scale times as large; empty where control_weight is 0. The colour
// profile is kept.
[[nodiscard]] picture blend(const picture& source, int scale, double control_weight, std::span<const float> network);

} // namespace ferry::upscale
