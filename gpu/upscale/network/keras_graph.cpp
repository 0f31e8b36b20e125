#include "gpu/upscale/network/keras_graph.hpp"

#include "config/text.hpp"
#include "gpu/upscale/network/bounds.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_map>

namespace ferry::upscale {
namespace {

using nlohmann::json;
using kind = keras_layer::kind;

// Reads one JSON object and knows where it stands, so that each refusal names the place.
class reader {
public:
  reader(const std::filesystem::path& file, std::string where, const json& object)
      : file_(file), where_(std::move(where)), object_(object) {
    if (!object_.is_object())
      refuse("is " + config::shown(object_) + ", expected an object");
  }

  [[noreturn]] void refuse(const std::string& what) const { throw bad_model(file_.string() + ": " + where_ + " " + what); }

  [[nodiscard]] const json* find(const char* key) const {
    const auto found = object_.find(key);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }

  [[nodiscard]] const json& get(const char* key) const {
    const json* found = find(key);
    if (!found)
      refuse(std::string("has no '") + key + "'");
    return *found;
  }

  [[nodiscard]] reader object(const char* key) const { return {file_, where_ + "." + key, get(key)}; }

  [[nodiscard]] std::string text(const char* key) const {
    const json& found = get(key);
    if (!found.is_string())
      refuse_value(key, found, "a text");
    return found.get<std::string>();
  }

  [[nodiscard]] const json& list(const char* key, std::size_t size_max) const {
    const json& found = get(key);
    if (!found.is_array())
      refuse_value(key, found, "a list");
    if (found.size() > size_max)
      refuse(std::string("has ") + std::to_string(found.size()) + " entries in '" + key + "', at most " + std::to_string(size_max) +
             " are read");
    return found;
  }

  [[nodiscard]] int number(const char* key, int least, int most) const { return as_number(key, get(key), least, most); }

  [[nodiscard]] int as_number(const char* key, const json& found, int least, int most) const {
    const std::string bounds = "a whole number from " + std::to_string(least) + " to " + std::to_string(most);
    if (!found.is_number_integer() || found < least || found > most)
      refuse_value(key, found, bounds);
    return found.get<int>();
  }

  // A setting that this program knows in one value only; absent means that value.
  void must_be(const char* key, const json& expected) const {
    const json* found = find(key);
    if (found && *found != expected)
      refuse_value(key, *found, config::shown(expected));
  }

  [[noreturn]] void refuse_value(const char* key, const json& found, const std::string& expected) const {
    refuse(std::string("has ") + key + " = " + config::shown(found) + ", expected " + expected);
  }

private:
  const std::filesystem::path& file_;
  std::string where_;
  const json& object_;
};

std::string in_quotes(std::string_view text) { return "'" + config::shortened(text) + "'"; }

void read_convolution(const reader& settings, keras_layer& layer) {
  layer.what = kind::convolution;
  layer.channels = settings.number("filters", 1, bounds::channels_max);
  const json& kernel = settings.list("kernel_size", 2);
  if (kernel.size() != 2 || kernel[0] != kernel[1] || (kernel[0] != 1 && kernel[0] != 3 && kernel[0] != 5))
    settings.refuse_value("kernel_size", kernel, "[1,1], [3,3] or [5,5]");
  layer.kernel = kernel[0].get<int>();
  const std::string padding = settings.text("padding");
  if (padding != "same" && !(padding == "valid" && layer.kernel == 1))
    settings.refuse_value("padding", padding, "\"same\"");
  settings.must_be("strides", {1, 1});
  settings.must_be("dilation_rate", {1, 1});
  settings.must_be("groups", 1);
  settings.must_be("data_format", "channels_last");
  if (const json* bias = settings.find("use_bias")) {
    if (!bias->is_boolean())
      settings.refuse_value("use_bias", *bias, "true or false");
    layer.has_bias = bias->get<bool>();
  }
  const std::string activation = settings.find("activation") ? settings.text("activation") : "linear";
  if (activation != "linear" && activation != "relu")
    settings.refuse_value("activation", activation, "\"linear\" or \"relu\"");
  layer.relu = activation == "relu";
}

void read_input(const reader& settings, keras_layer& layer) {
  layer.what = kind::input;
  const json& shape = settings.list("batch_input_shape", 4);
  if (shape.size() != 4 || shape[3] != 3)
    settings.refuse_value("batch_input_shape", shape, "[null,null,null,3]");
  layer.channels = 3;
}

void read_enlarging(const reader& settings, keras_layer& layer) {
  layer.what = kind::enlarge_nearest;
  const json& size = settings.list("size", 2);
  if (size.size() != 2 || size[0] != size[1])
    settings.refuse_value("size", size, "twice the same scale");
  layer.scale = settings.as_number("size", size[0], 1, 16);
  settings.must_be("data_format", "channels_last");
  settings.must_be("interpolation", "nearest");
}

// The classes that the packages' own code registers beside Keras' own: PixelShuffle<scale>x and MultiplyBeta.
void read_settings(const std::string& class_name, const reader& settings, keras_layer& layer) {
  if (class_name == "InputLayer") {
    read_input(settings, layer);
  } else if (class_name == "Conv2D") {
    read_convolution(settings, layer);
  } else if (class_name == "Activation") {
    const std::string activation = settings.text("activation");
    if (activation != "relu" && activation != "linear")
      settings.refuse_value("activation", activation, "\"relu\" or \"linear\"");
    layer.what = activation == "relu" ? kind::relu : kind::identity;
  } else if (class_name == "ReLU") {
    settings.must_be("max_value", nullptr);
    settings.must_be("negative_slope", 0.0);
    settings.must_be("threshold", 0.0);
    layer.what = kind::relu;
  } else if (class_name == "Concatenate") {
    if (const json* axis = settings.find("axis"); axis && *axis != 3 && *axis != -1)
      settings.refuse_value("axis", *axis, "3");
    layer.what = kind::concatenate;
  } else if (class_name == "Add") {
    layer.what = kind::add;
  } else if (class_name == "MultiplyBeta") {
    const json& beta = settings.get("beta");
    if (!beta.is_number() || !(std::abs(beta.get<double>()) <= 1000))
      settings.refuse_value("beta", beta, "a number from -1000 to 1000");
    layer.what = kind::multiply;
    layer.factor = beta.get<float>();
  } else if (class_name == "UpSampling2D") {
    read_enlarging(settings, layer);
  } else if (class_name.starts_with("PixelShuffle")) {
    layer.what = kind::depth_to_space;
    layer.scale = settings.number("scale", 1, 16);
  } else {
    settings.refuse("is of class " + in_quotes(class_name) + ", which this program does not compute");
  }
}

// [[["LR",0,0,{}], …]]: one use of the layer, with the first output of each of its inputs.
std::vector<std::string> read_inputs(const reader& entry) {
  std::vector<std::string> names;
  const json& nodes = entry.list("inbound_nodes", 1);
  if (nodes.empty())
    return names;
  if (!nodes[0].is_array() || nodes[0].empty() || nodes[0].size() > 64)
    entry.refuse_value("inbound_nodes", nodes, "a list of 1 to 64 inputs");
  for (const json& input : nodes[0]) {
    if (!input.is_array() || input.size() < 3 || !input[0].is_string() || input[1] != 0 || input[2] != 0)
      entry.refuse_value("inbound_nodes", input, "[layer, 0, 0]");
    names.push_back(input[0].get<std::string>());
  }
  return names;
}

struct listed_layer {
  keras_layer layer;
  std::vector<std::string> inputs;
};

void check_input_count(const std::filesystem::path& file, const listed_layer& one) {
  const std::size_t count = one.inputs.size();
  const bool several = one.layer.what == kind::concatenate || one.layer.what == kind::add;
  const bool right = one.layer.what == kind::input ? count == 0 : several ? count >= 2 : count == 1;
  if (!right)
    throw bad_model(file.string() + ": layer " + in_quotes(one.layer.name) + " has " + std::to_string(count) +
                    " inputs, expected " +
                    (one.layer.what == kind::input ? "none"
                     : several                     ? "2 or more"
                                                   : "1"));
}

// Puts each layer after its inputs (Kahn's algorithm, keeping the file's order where it can).
std::vector<keras_layer> sorted(const std::filesystem::path& file, std::vector<listed_layer>& listed) {
  std::unordered_map<std::string_view, std::size_t> index;
  for (std::size_t i = 0; i < listed.size(); ++i)
    if (!index.emplace(listed[i].layer.name, i).second)
      throw bad_model(file.string() + ": two layers are called " + in_quotes(listed[i].layer.name));
  std::vector<std::vector<std::size_t>> readers(listed.size());
  std::vector<std::size_t> missing(listed.size(), 0);
  for (std::size_t i = 0; i < listed.size(); ++i) {
    check_input_count(file, listed[i]);
    for (const std::string& name : listed[i].inputs) {
      const auto found = index.find(name);
      if (found == index.end())
        throw bad_model(file.string() + ": layer " + in_quotes(listed[i].layer.name) + " reads " + in_quotes(name) +
                        ", and there is no such layer");
      readers[found->second].push_back(i);
      ++missing[i];
    }
  }
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < listed.size(); ++i)
    if (missing[i] == 0)
      order.push_back(i);
  for (std::size_t done = 0; done < order.size(); ++done)
    for (const std::size_t next : readers[order[done]])
      if (--missing[next] == 0)
        order.push_back(next);
  if (order.size() != listed.size()) {
    const auto stuck = std::find_if(missing.begin(), missing.end(), [](std::size_t count) { return count > 0; });
    throw bad_model(file.string() + ": layer " + in_quotes(listed[static_cast<std::size_t>(stuck - missing.begin())].layer.name) +
                    " stands in or after a circle of layers");
  }
  std::unordered_map<std::string, int> place;
  std::vector<keras_layer> layers;
  layers.reserve(order.size());
  for (const std::size_t i : order) {
    keras_layer& layer = layers.emplace_back(listed[i].layer);
    for (const std::string& name : listed[i].inputs) {
      layer.inputs.push_back(place.at(name));
      ++layers[static_cast<std::size_t>(layer.inputs.back())].readers;
    }
    place.emplace(layer.name, static_cast<int>(layers.size()) - 1);
  }
  return layers;
}

std::vector<listed_layer> read_layers(const std::filesystem::path& file, const reader& model) {
  std::vector<listed_layer> listed;
  for (const json& item : model.list("layers", bounds::layers_max)) {
    const reader entry(file, "entry " + std::to_string(listed.size()) + " of layers", item);
    listed_layer one;
    one.layer.name = entry.text("name");
    const reader named(file, "layer " + in_quotes(one.layer.name), item);
    const reader settings(file, "layer " + in_quotes(one.layer.name), named.get("config"));
    read_settings(named.text("class_name"), settings, one.layer);
    one.inputs = read_inputs(named);
    listed.push_back(std::move(one));
  }
  return listed;
}

// [["SR",0,0]]: the one output of the model, or its one input.
std::string single_end(const reader& model, const char* key) {
  const json& ends = model.list(key, 64);
  if (ends.size() != 1 || !ends[0].is_array() || ends[0].empty() || !ends[0][0].is_string())
    model.refuse_value(key, ends, "one layer");
  return ends[0][0].get<std::string>();
}

tensor_entry read_tensor(const std::filesystem::path& file, const json& item, std::size_t index) {
  const reader entry(file, "weight " + std::to_string(index), item);
  tensor_entry tensor{entry.text("name"), {}};
  const reader named(file, "weight " + in_quotes(tensor.name), item);
  if (const std::string type = named.text("dtype"); type != "float32")
    named.refuse_value("dtype", type, "\"float32\"");
  if (const json* quantization = named.find("quantization"))
    named.refuse_value("quantization", *quantization, "none: weights in full precision");
  for (const json& extent : named.list("shape", 4))
    tensor.shape.push_back(named.as_number("shape", extent, 1, bounds::channels_max));
  return tensor;
}

std::vector<shard_group> read_groups(const std::filesystem::path& file, const reader& root) {
  std::vector<shard_group> groups;
  std::size_t tensors = 0;
  for (const json& item : root.list("weightsManifest", bounds::shards_max)) {
    const reader entry(file, "group " + std::to_string(groups.size()) + " of weightsManifest", item);
    shard_group group;
    for (const json& path : entry.list("paths", bounds::shards_max)) {
      const std::string name = path.is_string() ? path.get<std::string>() : "";
      // The shards lie beside model.json: a name that leads elsewhere is not followed.
      if (name.empty() || name.front() == '.' || name.find_first_of(std::string_view("/\\\0", 3)) != std::string::npos)
        entry.refuse_value("paths", path, "the plain name of a file beside model.json");
      group.files.push_back(name);
    }
    for (const json& weight : entry.list("weights", 2 * bounds::layers_max))
      group.tensors.push_back(read_tensor(file, weight, tensors++));
    groups.push_back(std::move(group));
  }
  return groups;
}

} // namespace

std::size_t tensor_entry::elements() const {
  std::size_t count = 1;
  for (const int extent : shape)
    count *= static_cast<std::size_t>(extent);
  return count;
}

keras_graph read_keras_graph(const std::filesystem::path& file, std::string_view text) {
  const json document = json::parse(text, nullptr, false);
  if (document.is_discarded())
    throw bad_model(file.string() + ": not JSON: cut off or not a model");
  const reader root(file, "the document", document);
  root.must_be("format", "layers-model");
  const reader topology = root.object("modelTopology");
  const reader outer = topology.find("model_config") ? topology.object("model_config") : topology;
  if (const std::string class_name = outer.text("class_name"); class_name != "Functional" && class_name != "Model")
    outer.refuse_value("class_name", class_name, "\"Functional\"");
  const reader model = outer.object("config");
  std::vector<listed_layer> listed = read_layers(file, model);
  keras_graph graph;
  graph.layers = sorted(file, listed);
  const auto by_name = [&](const std::string& name) {
    const auto found = std::find_if(graph.layers.begin(), graph.layers.end(), [&](const keras_layer& l) { return l.name == name; });
    if (found == graph.layers.end())
      model.refuse("names " + in_quotes(name) + " as an end, and there is no such layer");
    return static_cast<int>(found - graph.layers.begin());
  };
  const int input = by_name(single_end(model, "input_layers"));
  for (std::size_t i = 0; i < graph.layers.size(); ++i)
    if ((graph.layers[i].what == kind::input) != (static_cast<int>(i) == input))
      model.refuse("has layer " + in_quotes(graph.layers[i].name) + " as an input or as 'input_layers', expected one and the same");
  graph.output = by_name(single_end(model, "output_layers"));
  graph.groups = read_groups(file, root);
  return graph;
}

} // namespace ferry::upscale
