// Enlarging by an integer factor with the Lanczos kernel of three lobes: L(x) = sinc(x) sinc(x/3) for |x| < 3, else 0, with sinc(x)
// = sin(pi x)/(pi x) (C. Duchon, "Lanczos Filtering in One and Two Dimensions", J. Applied Meteorology 18, 1979; K. Turkowski,
// "Filters for Common Resampling Tasks", Graphics Gems, 1990). Pixels are samples at their centres: result pixel i lies at (i +
// 1/2)/s - 1/2 of the source. So there are s sets of six weights, each scaled to the sum 1. Beyond the edges the nearest pixel
// counts. Separable: rows first, then columns.
#pragma once

#include <array>
#include <functional>
#include <span>
#include <vector>

namespace ferry::upscale {

// Makes the rows of the result one after the other and holds no more than the six rows that they need.
class lanczos_rows {
public:
  // Fills row y of the source: width * channels floats.
  using row_reader = std::function<void(int y, std::span<float> row)>;

  lanczos_rows(int width, int height, int channels, int scale, row_reader read_row);

  // The next row, from 0 to height * scale - 1: width * scale * channels floats, not clamped, valid until the next call.
  [[nodiscard]] std::span<const float> next();

private:
  static constexpr int taps = 6;
  struct phase {
    int first = 0; // of the six pixels, relative to that which the result's pixel lies in
    std::array<float, taps> weights{};
  };

  void widen(int y);

  int width_, height_, channels_, scale_;
  row_reader read_row_;
  std::vector<phase> phases_;
  std::vector<float> source_row_; // with three pixels more on each side
  std::vector<float> one_phase_;
  std::array<std::vector<float>, taps> wide_rows_; // source row y widened is in y % taps
  int widened_ = 0;                                // source rows so far
  int next_row_ = 0;
  std::vector<float> result_;
};

} // namespace ferry::upscale
