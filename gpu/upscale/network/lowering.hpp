// From Keras layers to the one form that engines run (network.hpp), exactly: activations, factors and additions go into the
// convolution before them, and the enlarging tail (nearest neighbour or depth-to-space, then one convolution at full size) becomes
// a convolution at the input's size and a depth-to-space. For that, note that the full-size convolution reads, for the phase (dy,
// dx) of a pixel, only the pixels floor((dy + ky - r) / scale) away from it at the input's size, and that its zero padding is the
// same zeros at both sizes.
#pragma once

#include "gpu/upscale/network/keras_graph.hpp"
#include "gpu/upscale/network/network.hpp"
#include "gpu/upscale/network/weights.hpp"

#include <filesystem>
#include <map>
#include <string>

namespace ferry::upscale {

// `file` is for messages. Gains for 0–1 networks are set too: a tail of depth-to-space means RRDN, which takes and makes 0–1.
// Throws bad_model.
[[nodiscard]] network lower(const std::filesystem::path& file, const keras_graph& graph, std::map<std::string, tensor> weights);

} // namespace ferry::upscale
