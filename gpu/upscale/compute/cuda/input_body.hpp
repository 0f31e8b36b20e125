// The way in: pixels as floats, R, G, B interleaved, become value 0's plane. Against a machine, as convolution_body.hpp.
#pragma once

#include "gpu/upscale/compute/cuda/convolution_body.hpp"

namespace ferry::upscale::cuda {

struct input_parameters {
  const float* picture = nullptr;
  std::byte* plane = nullptr;
  std::uint64_t pixels = 0;
  float gain = 1;
  int split = 0; // channels 3–5 take what rounding to the format's precision leaves of channels 0–2: they cost nothing, padding is
                 // there anyway
};

template <class Numbers, class Machine>
FERRY_KERNEL_PART void fill_pixel(Machine& machine, const input_parameters& p, std::uint64_t pixel) {
  float channels[8] = {};
  FERRY_UNROLL
  for (int colour = 0; colour < 3; ++colour) {
    const float exact = machine.read_colour(p.picture + pixel * 3 + colour) * p.gain;
    const float rounded = machine.rounded(Numbers{}, exact);
    channels[colour] = p.split != 0 ? rounded : exact;
    channels[3 + colour] = p.split != 0 ? exact - rounded : 0.0F;
  }
  std::byte* to = p.plane + pixel * pixel_bytes;
  constexpr int quad_bytes = pixel_bytes / Numbers::plane_channels * 4;
  FERRY_UNROLL
  for (int first = 0; first < Numbers::plane_channels; first += 4) {
    const quad four =
        first < 8 ? quad{{channels[first & 7], channels[(first & 7) + 1], channels[(first & 7) + 2], channels[(first & 7) + 3]}}
                  : quad{};
    machine.write(Numbers{}, to + first / 4 * quad_bytes, four);
  }
}

} // namespace ferry::upscale::cuda
