// An ESRGAN network in the one form that both engines run: convolutions at the size of the input, one after the other, and at the
// end depth-to-space. Concatenations are lists of sources, additions are residuals of a convolution, factors and the enlarging
// tail are folded into weights, so that there is nothing else to compute.
#pragma once

#include <string>
#include <vector>

namespace ferry::upscale {

// One activation: `channels` planes of the size of the input. Value 0 is the input itself, with 3 channels (R, G, B).
struct value {
  int channels = 0;
};

// output = (relu?)(conv(concatenated sources) + bias) + sum of gain * value over `residuals`.
// Stride 1; outside of the picture everything is zero ("same" padding of TensorFlow, which is symmetric for odd kernels).
struct convolution {
  struct residual {
    int of = 0; // a value with as many channels as the output
    float gain = 1;
  };

  std::string name;           // the layer it was made from, for errors and profiles
  std::vector<int> sources;   // values, concatenated along the channels in this order; none twice, each made before
  int output = 0;             // the value made; made by no other step
  int kernel = 3;             // width and height: 1, 3 or 5
  std::vector<float> weights; // [row][column][input channel][output channel], as TensorFlow stores them
  std::vector<float> bias;    // one an output channel
  bool relu = false;
  std::vector<residual> residuals; // at most 2, added after relu
};

struct network {
  std::string name;      // "slim", "medium" or "thick", for people
  int scale = 2;         // 2, 3, 4 or 8
  float input_gain = 1;  // what 0–255 is multiplied with before the first step (thick: 1/255)
  float output_gain = 1; // what the last step's output is multiplied with to be 0–255 again (thick: 255)
  std::vector<value> values;
  std::vector<convolution> steps; // in an order in which each source is made before it is read
  // The last step's output has 3 * scale² channels. TensorFlow's depth_to_space (NHWC): channel (dy * scale + dx) * 3 + c of
  // pixel (x, y) is colour c of pixel (x * scale + dx, y * scale + dy).

  [[nodiscard]] int input_channels(const convolution& step) const;
  // How far, in input pixels, a pixel of the result can depend on the input: the sum of all kernels' reach on the longest way.
  [[nodiscard]] int reach_pixels() const;
  // Multiplications for one input pixel.
  [[nodiscard]] double multiplications_per_pixel() const;
};

} // namespace ferry::upscale
