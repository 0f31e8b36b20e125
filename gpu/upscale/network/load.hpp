// Reads a network from the files of the npm packages @upscalerjs/esrgan-slim, -medium and -thick: `model.json` (a Keras
// "layers-model" of TensorFlow.js: layer graph and weights manifest) and the shards of weights beside it.
#pragma once

#include "gpu/upscale/network/network.hpp"
#include "model/error.hpp"

#include <filesystem>
#include <string>

namespace ferry::upscale {

// `folder` holds model.json. Everything is checked before it is used: each layer's kind and settings, each tensor's shape and type,
// each shard's size, that the graph has no cycle and ends in 3 colours. Errors (`damaged`, `not_found`) name the file, the layer or
// tensor, what was found and what was expected.
[[nodiscard]] result<network> load_network(const std::filesystem::path& folder, const std::string& name, int scale);

// Where packages are looked for, in this order: `models_folder` if not empty, $FERRY_MODELS, <programs>/../share/ferry/models, the
// cache of scripts/setup
// ($FERRY_CACHE or $XDG_CACHE_HOME/ferry or ~/.cache/ferry, in it models/). In each: esrgan-<name>/models/x<scale>/model.json.
// Not found: an error that names the places, and the command that installs the package.
[[nodiscard]] result<std::filesystem::path> find_network(const std::string& name, int scale,
                                                         const std::filesystem::path& models_folder);

} // namespace ferry::upscale
