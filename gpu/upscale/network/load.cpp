#include "gpu/upscale/network/load.hpp"

#include "gpu/upscale/network/bounds.hpp"
#include "gpu/upscale/network/keras_graph.hpp"
#include "gpu/upscale/network/lowering.hpp"
#include "gpu/upscale/network/weights.hpp"

#include <exception>

namespace ferry::upscale {

result<network> load_network(const std::filesystem::path& folder, const std::string& name, int scale) {
  const std::filesystem::path file = folder / "model.json";
  std::error_code failure;
  if (!std::filesystem::exists(file, failure))
    return fail(error_code::not_found, file.string() + ": no such file",
                "a network's folder holds model.json and its shards of weights");
  try {
    const keras_graph graph = read_keras_graph(file, read_whole_file(file, bounds::model_json_bytes_max));
    network model = lower(file, graph, read_weights(folder, graph.groups));
    if (model.scale != scale)
      throw bad_model(file.string() + ": enlarges by " + std::to_string(model.scale) + ", expected " + std::to_string(scale));
    model.name = name;
    return model;
  } catch (const bad_model& bad) {
    return fail(error_code::damaged, bad.what(), "take the files of the npm package @upscalerjs/esrgan-" + name + " afresh");
  } catch (const std::exception& other) {
    return fail(error_code::damaged, file.string() + ": cannot be read as a network: " + other.what());
  }
}

} // namespace ferry::upscale
