// Lanczos against its formula, computed pixel by pixel in double precision.
#include "gpu/upscale/image/resample.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>
#include <numbers>

using namespace ferry::upscale;
using Catch::Matchers::WithinAbs;

namespace {

struct plane {
  int width, height, channels;
  std::vector<float> values;
  [[nodiscard]] double at(int x, int y, int c) const {
    const int inside_x = std::clamp(x, 0, width - 1), inside_y = std::clamp(y, 0, height - 1);
    return values[static_cast<std::size_t>((inside_y * width + inside_x) * channels + c)];
  }
};

plane some_plane(int width, int height, int channels) {
  plane made{width, height, channels, {}};
  for (int i = 0; i < width * height * channels; ++i)
    made.values.push_back(static_cast<float>((i * 7919 + i * i * 31) % 256));
  return made;
}

plane enlarged(const plane& source, int scale) {
  lanczos_rows rows(source.width, source.height, source.channels, scale, [&](int y, std::span<float> row) {
    std::copy_n(source.values.begin() + y * static_cast<std::ptrdiff_t>(row.size()), row.size(), row.begin());
  });
  plane made{source.width * scale, source.height * scale, source.channels, {}};
  for (int y = 0; y < made.height; ++y) {
    const auto row = rows.next();
    made.values.insert(made.values.end(), row.begin(), row.end());
  }
  return made;
}

double kernel(double x) {
  if (x == 0)
    return 1;
  if (std::abs(x) >= 3)
    return 0;
  const double p = std::numbers::pi * x;
  return 3 * std::sin(p) * std::sin(p / 3) / (p * p); // sinc(x) sinc(x/3), multiplied out
}

double by_the_formula(const plane& source, int scale, int x, int y, int c) {
  const double at_x = (x + 0.5) / scale - 0.5, at_y = (y + 0.5) / scale - 0.5;
  double sum = 0, weights = 0;
  for (int j = static_cast<int>(std::floor(at_y)) - 4; j <= at_y + 4; ++j)
    for (int i = static_cast<int>(std::floor(at_x)) - 4; i <= at_x + 4; ++i) {
      const double weight = kernel(at_x - i) * kernel(at_y - j);
      sum += weight * source.at(i, j, c);
      weights += weight;
    }
  return sum / weights;
}

} // namespace

TEST_CASE("Lanczos gives what its formula says, at every scale, up to the edges") {
  for (const int scale : {2, 3, 4, 8})
    for (const auto& [width, height] : {std::pair{13, 11}, {1, 1}, {1, 7}, {5, 2}, {3, 20}})
      for (const int channels : {1, 3, 4}) {
        INFO(width << "x" << height << ", " << channels << " channels, x" << scale);
        const plane source = some_plane(width, height, channels);
        const plane made = enlarged(source, scale);
        double worst = 0;
        for (int y = 0; y < made.height; ++y)
          for (int x = 0; x < made.width; ++x)
            for (int c = 0; c < channels; ++c)
              worst = std::max(worst, std::abs(made.at(x, y, c) - by_the_formula(source, scale, x, y, c)));
        CHECK(worst < 1e-3);
      }
}

TEST_CASE("Lanczos keeps an even colour, and turns with the picture") {
  plane even = some_plane(9, 6, 1);
  std::fill(even.values.begin(), even.values.end(), 77.0F);
  for (const float value : enlarged(even, 4).values)
    CHECK_THAT(value, WithinAbs(77, 1e-4));
  plane source = some_plane(12, 7, 1), turned = source;
  std::reverse(turned.values.begin(), turned.values.end()); // by 180 degrees
  const plane made = enlarged(source, 3);
  plane made_turned = enlarged(turned, 3);
  std::reverse(made_turned.values.begin(), made_turned.values.end());
  for (std::size_t i = 0; i < made.values.size(); ++i)
    CHECK_THAT(made.values[i], WithinAbs(made_turned.values[i], 1e-3));
}
