// What `model.json` says: the layers of a Keras model as TensorFlow.js writes it ("layers-model"), each checked to be of a kind and
// with settings that this program computes exactly, and the names, shapes and files of the weights.
#pragma once

#include <cstddef>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace ferry::upscale {

// Thrown inside this folder for a file that breaks a rule; load_network() turns it into an error value. The text names file, layer
// and values.
struct bad_model : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct keras_layer {
  enum class kind { input, convolution, relu, identity, concatenate, add, multiply, enlarge_nearest, depth_to_space };

  std::string name;
  kind what = kind::input;
  std::vector<int> inputs; // indices of layers, each before this one
  int readers = 0;         // how many inputs of other layers this layer is
  int channels = 0;        // input and convolution: of the output
  int kernel = 0;          // convolution: 1, 3 or 5
  bool has_bias = true;    // convolution
  bool relu = false;       // convolution with its activation inside
  float factor = 1;        // multiply
  int scale = 1;           // enlarge_nearest, depth_to_space
};

struct tensor_entry {
  std::string name; // "<layer>/kernel" or "<layer>/bias"
  std::vector<int> shape;

  [[nodiscard]] std::size_t elements() const;
};

struct shard_group {
  std::vector<std::string> files; // plain names, beside model.json; their bytes follow one another
  std::vector<tensor_entry> tensors;
};

struct keras_graph {
  std::vector<keras_layer> layers; // each after its inputs
  int output = 0;
  std::vector<shard_group> groups;
};

// `text` is the content of `file`, which is used for messages. Throws bad_model.
[[nodiscard]] keras_graph read_keras_graph(const std::filesystem::path& file, std::string_view text);

} // namespace ferry::upscale
