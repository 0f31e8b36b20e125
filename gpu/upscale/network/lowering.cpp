#include "gpu/upscale/network/lowering.hpp"

#include "gpu/upscale/network/bounds.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace ferry::upscale {
namespace {

using kind = keras_layer::kind;

std::size_t at(int index) { return static_cast<std::size_t>(index); }

std::string shape_text(const std::vector<int>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i)
    text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + "]";
}

// A layer's output: a convolution that may still take up a factor, an activation or additions, or values that exist already.
struct expression {
  std::optional<convolution> pending;       // its output is not numbered yet
  std::vector<int> sources;                 // without `pending`: the values, concatenated
  std::vector<convolution::residual> terms; // without `pending` and `sources`: a sum of values that no convolution has taken up yet
  int channels = 0;
  int enlarged = 1;      // at `enlarged` times the input's size …
  kind by = kind::input; // … by this; the sources still stand at the input's size
  bool is_final = false; // the result of the convolution at full size
};

class lowering {
public:
  lowering(const std::filesystem::path& file, std::map<std::string, tensor> weights) : file_(file), weights_(std::move(weights)) {}

  network run(const keras_graph& graph) {
    for (const keras_layer& layer : graph.layers) {
      expression made = lower_layer(layer);
      // What several layers read is computed once.
      if (made.pending && layer.readers > 1)
        made = materialised(std::move(made));
      expressions_.push_back(std::move(made));
    }
    const keras_layer& last = graph.layers[at(graph.output)];
    expression& output = expressions_[at(graph.output)];
    if (!output.is_final || !output.pending)
      refuse(last, "is the output, expected the convolution at full size after the enlarging layer");
    network_.scale = output.enlarged;
    materialised(std::move(output));
    if (!weights_.empty())
      throw bad_model(file_.string() + ": weight '" + weights_.begin()->first + "' belongs to no layer");
    return std::move(network_);
  }

private:
  [[noreturn]] void refuse(const keras_layer& layer, const std::string& what) const {
    throw bad_model(file_.string() + ": layer '" + layer.name + "' " + what);
  }

  int new_value(int channels) {
    network_.values.push_back({channels});
    return static_cast<int>(network_.values.size()) - 1;
  }

  // Gives a pending convolution its place among the steps, so that others can read its value.
  expression materialised(expression made) {
    if (!made.pending)
      return made;
    made.pending->output = new_value(made.channels);
    made.sources = {made.pending->output};
    network_.steps.push_back(std::move(*made.pending));
    made.pending.reset();
    return made;
  }

  // A pending convolution has one reader, which takes it over; anything else may be read again.
  expression taken(int index) {
    expression& input = expressions_[at(index)];
    return input.pending ? std::exchange(input, {}) : input;
  }

  // The values of layer `index`, concatenated, at the input's size or enlarged.
  const expression& input_of(const keras_layer& layer, int index) {
    expression& input = expressions_[at(index)];
    input = materialised(std::move(input));
    if (!input.terms.empty())
      refuse(layer, "reads a sum or multiple of values that ends in no convolution");
    return input;
  }

  expression lower_layer(const keras_layer& layer) {
    if (layer.what != kind::convolution)
      for (const int index : layer.inputs)
        if (expressions_[at(index)].enlarged > 1)
          refuse(layer, "works at full size, where only one convolution is expected");
    switch (layer.what) {
    case kind::input: {
      const int value = new_value(layer.channels);
      return {.sources = {value}, .channels = layer.channels};
    }
    case kind::convolution: return lower_convolution(layer);
    case kind::relu: return lower_relu(layer);
    case kind::identity: return taken(layer.inputs[0]);
    case kind::concatenate: return lower_concatenation(layer);
    case kind::add: return lower_addition(layer);
    case kind::multiply: return lower_factor(layer);
    case kind::enlarge_nearest:
    case kind::depth_to_space: return lower_enlarging(layer);
    }
    refuse(layer, "is of an unknown kind");
  }

  std::vector<float> take_weight(const keras_layer& layer, const char* which, const std::vector<int>& shape) {
    const std::string name = layer.name + "/" + which;
    const auto found = weights_.find(name);
    if (found == weights_.end())
      throw bad_model(file_.string() + ": weight '" + name + "' is missing, expected one of shape " + shape_text(shape));
    if (found->second.shape != shape)
      throw bad_model(file_.string() + ": weight '" + name + "' has shape " + shape_text(found->second.shape) + ", expected " +
                      shape_text(shape));
    std::vector<float> elements = std::move(found->second.elements);
    weights_.erase(found);
    return elements;
  }

  expression lower_convolution(const keras_layer& layer) {
    const expression& input = input_of(layer, layer.inputs[0]);
    if (input.is_final)
      refuse(layer, "follows the convolution at full size, which is expected to be the last layer");
    const int inside = input.by == kind::depth_to_space ? input.channels / (input.enlarged * input.enlarged) : input.channels;
    convolution step;
    step.name = layer.name;
    step.sources = input.sources;
    step.kernel = layer.kernel;
    step.weights = take_weight(layer, "kernel", {layer.kernel, layer.kernel, inside, layer.channels});
    step.bias = layer.has_bias ? take_weight(layer, "bias", {layer.channels}) : std::vector<float>(at(layer.channels), 0.0F);
    step.relu = layer.relu;
    if (input.enlarged == 1)
      return {.pending = std::move(step), .channels = layer.channels};
    return lower_full_size(layer, input, std::move(step));
  }

  // The tail: see the header of lowering.hpp.
  expression lower_full_size(const keras_layer& layer, const expression& input, convolution full) {
    const int scale = input.enlarged;
    const int reach = full.kernel / 2;
    if (layer.channels != 3)
      refuse(layer, "makes " + std::to_string(layer.channels) + " channels at full size, expected 3 colours");
    if (reach > scale)
      refuse(layer, "reaches further than one pixel of the input, which is not expected of a last layer");
    if (full.relu)
      refuse(layer, "has an activation, which is not expected of a last layer");
    const bool shuffles = input.by == kind::depth_to_space;
    const int inside = shuffles ? input.channels / (scale * scale) : input.channels;
    const int phases = scale * scale;
    convolution low{.name = full.name, .sources = full.sources, .kernel = 3};
    low.weights.assign(9 * at(input.channels) * at(3 * phases), 0.0F);
    low.bias.resize(at(3 * phases));
    const auto floor_by_scale = [scale](int offset) {
      return offset < 0 ? -1 : offset / scale;
    }; // offsets are -scale … 2 * scale - 1
    for (int phase = 0; phase < phases; ++phase)
      for (int tap = 0; tap < full.kernel * full.kernel; ++tap) {
        const int y = phase / scale + tap / full.kernel - reach;
        const int x = phase % scale + tap % full.kernel - reach;
        const int row = floor_by_scale(y);
        const int column = floor_by_scale(x);
        const int within = (y - row * scale) * scale + (x - column * scale);
        for (int channel = 0; channel < inside; ++channel)
          for (int colour = 0; colour < 3; ++colour) {
            const int from = shuffles ? within * inside + channel : channel;
            low.weights[(at((row + 1) * 3 + column + 1) * at(input.channels) + at(from)) * at(3 * phases) +
                        at(phase * 3 + colour)] += full.weights[(at(tap) * at(inside) + at(channel)) * 3 + at(colour)];
          }
      }
    for (int i = 0; i < 3 * phases; ++i)
      low.bias[at(i)] = full.bias[at(i % 3)];
    expression made{.pending = std::move(low), .channels = 3 * phases, .enlarged = scale};
    made.is_final = true;
    if (shuffles) {
      network_.input_gain = 1.0F / 255.0F;
      network_.output_gain = 255.0F;
    }
    return made;
  }

  expression lower_relu(const keras_layer& layer) {
    expression& input = expressions_[at(layer.inputs[0])];
    if (!input.pending || !input.pending->residuals.empty())
      refuse(layer, "is an activation of something else than a convolution that nothing else reads");
    expression made = taken(layer.inputs[0]);
    made.pending->relu = true;
    return made;
  }

  expression lower_factor(const keras_layer& layer) {
    expression& input = expressions_[at(layer.inputs[0])];
    if (!input.pending) {
      const expression& values = input_of(layer, layer.inputs[0]);
      if (values.sources.size() != 1)
        refuse(layer, "multiplies a concatenation, which is not expected");
      return {.terms = {{values.sources[0], layer.factor}}, .channels = values.channels};
    }
    if (input.pending->relu && layer.factor < 0)
      refuse(layer, "multiplies an activation by a negative factor, which is not expected");
    expression made = taken(layer.inputs[0]);
    for (float& weight : made.pending->weights)
      weight *= layer.factor;
    for (float& bias : made.pending->bias)
      bias *= layer.factor;
    for (auto& residual : made.pending->residuals)
      residual.gain *= layer.factor;
    return made;
  }

  expression lower_concatenation(const keras_layer& layer) {
    expression made;
    for (const int index : layer.inputs) {
      const expression& input = input_of(layer, index);
      made.channels += input.channels;
      for (const int source : input.sources) {
        if (std::find(made.sources.begin(), made.sources.end(), source) != made.sources.end())
          refuse(layer, "holds one and the same input twice, which is not expected");
        made.sources.push_back(source);
      }
    }
    if (made.channels > bounds::channels_max)
      refuse(layer, "has " + std::to_string(made.channels) + " channels, at most " + std::to_string(bounds::channels_max) +
                        " are computed");
    return made;
  }

  // The convolution made last takes up the others.
  expression lower_addition(const keras_layer& layer) {
    int taker = -1;
    for (const int index : layer.inputs)
      if (expressions_[at(index)].pending)
        taker = std::max(taker, index);
    if (taker < 0)
      refuse(layer, "adds no convolution that nothing else reads, which is not expected");
    expression made = taken(taker);
    for (const int index : layer.inputs) {
      if (index == taker)
        continue;
      expression& input = expressions_[at(index)];
      input = materialised(std::move(input));
      if (input.channels != made.channels)
        refuse(layer, "adds " + std::to_string(input.channels) + " channels to " + std::to_string(made.channels));
      if (input.terms.empty() && input.sources.size() != 1)
        refuse(layer, "adds a concatenation, which is not expected");
      auto& residuals = made.pending->residuals;
      if (input.terms.empty())
        residuals.push_back({input.sources[0], 1.0F});
      else
        residuals.insert(residuals.end(), input.terms.begin(), input.terms.end());
      if (residuals.size() > 2)
        refuse(layer, "adds more than two values to one convolution, which is not expected");
    }
    return made;
  }

  expression lower_enlarging(const keras_layer& layer) {
    expression made = input_of(layer, layer.inputs[0]);
    const int phases = layer.scale * layer.scale;
    if (layer.what == kind::depth_to_space && made.channels % phases != 0)
      refuse(layer, "spreads " + std::to_string(made.channels) + " channels over " + std::to_string(phases) +
                        " pixels, expected a multiple");
    if (layer.scale < 2 || layer.scale > 8)
      refuse(layer, "enlarges by " + std::to_string(layer.scale) + ", expected 2 to 8");
    made.enlarged = layer.scale;
    made.by = layer.what;
    return made;
  }

  const std::filesystem::path& file_;
  std::map<std::string, tensor> weights_;
  std::vector<expression> expressions_; // one a layer
  network network_;
};

} // namespace

network lower(const std::filesystem::path& file, const keras_graph& graph, std::map<std::string, tensor> weights) {
  return lowering(file, std::move(weights)).run(graph);
}

} // namespace ferry::upscale
