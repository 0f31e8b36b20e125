// The shards of weights beside model.json: little-endian float32, one tensor after the other as the manifest lists them.
#pragma once

#include "gpu/upscale/network/keras_graph.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace ferry::upscale {

struct tensor {
  std::vector<int> shape;
  std::vector<float> elements;
};

// By name. Throws bad_model for a shard that is missing, too short or too long, and for values that are not finite.
[[nodiscard]] std::map<std::string, tensor> read_weights(const std::filesystem::path& folder,
                                                         const std::vector<shard_group>& groups);

// The bytes of a file of at most `bytes_max`. Throws bad_model.
[[nodiscard]] std::string read_whole_file(const std::filesystem::path& file, std::size_t bytes_max);

} // namespace ferry::upscale
