#include "gpu/upscale/network/weights.hpp"

#include "gpu/upscale/network/bounds.hpp"

#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>

namespace ferry::upscale {
namespace {

static_assert(std::endian::native == std::endian::little, "shards are little-endian and are copied as they are");

std::size_t bytes_of(const shard_group& group) {
  std::size_t bytes = 0;
  for (const tensor_entry& entry : group.tensors) {
    bytes += entry.elements() * sizeof(float);
    if (bytes > bounds::weights_bytes_max)
      throw bad_model("weight '" + entry.name + "' brings the weights above " + std::to_string(bounds::weights_bytes_max) +
                      " bytes");
  }
  return bytes;
}

std::string read_group(const std::filesystem::path& folder, const shard_group& group) {
  const std::size_t expected = bytes_of(group);
  std::string bytes;
  for (const std::string& name : group.files)
    bytes += read_whole_file(folder / name, bounds::weights_bytes_max);
  if (bytes.size() != expected) {
    const std::string files = group.files.empty() ? "no file" : (folder / group.files.back()).string();
    throw bad_model(files + ": the shards of its group hold " + std::to_string(bytes.size()) + " bytes, expected " +
                    std::to_string(expected) + " for " + std::to_string(group.tensors.size()) +
                    " tensors (cut off, or of another model)");
  }
  return bytes;
}

void check_finite(const std::filesystem::path& folder, const std::string& name, const tensor& one) {
  for (std::size_t i = 0; i < one.elements.size(); ++i)
    if (!std::isfinite(one.elements[i]))
      throw bad_model(folder.string() + ": weight '" + name + "' is not a finite number at element " + std::to_string(i));
}

} // namespace

std::string read_whole_file(const std::filesystem::path& file, std::size_t bytes_max) {
  std::error_code failure;
  if (!std::filesystem::exists(file, failure))
    throw bad_model(file.string() + ": no such file");
  if (!std::filesystem::is_regular_file(file, failure))
    throw bad_model(file.string() + ": not a plain file");
  const auto size = std::filesystem::file_size(file, failure);
  if (failure || size > bytes_max)
    throw bad_model(
        file.string() + ": " +
        (failure ? failure.message() : std::to_string(size) + " bytes, at most " + std::to_string(bytes_max) + " are read"));
  std::ifstream stream(file, std::ios::binary);
  std::string bytes(size, '\0');
  if (!stream || !stream.read(bytes.data(), static_cast<std::streamsize>(size)))
    throw bad_model(file.string() + ": cannot be read");
  return bytes;
}

std::map<std::string, tensor> read_weights(const std::filesystem::path& folder, const std::vector<shard_group>& groups) {
  std::map<std::string, tensor> weights;
  for (const shard_group& group : groups) {
    const std::string bytes = read_group(folder, group);
    std::size_t from = 0;
    for (const tensor_entry& entry : group.tensors) {
      tensor one{entry.shape, std::vector<float>(entry.elements())};
      std::memcpy(one.elements.data(), bytes.data() + from, one.elements.size() * sizeof(float));
      from += one.elements.size() * sizeof(float);
      check_finite(folder, entry.name, one);
      if (!weights.emplace(entry.name, std::move(one)).second)
        throw bad_model((folder / "model.json").string() + ": weight '" + entry.name + "' is listed twice");
    }
  }
  return weights;
}

} // namespace ferry::upscale
