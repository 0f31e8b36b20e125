#include "gpu/upscale/compute/enlarge.hpp"

#include "gpu/upscale/compute/cpu/cpu_engine.hpp"
#include "gpu/upscale/network/load.hpp"
#include "tests/gpu/upscale/compute/random_network.hpp"
#include "tests/gpu/upscale/references.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators_all.hpp>
#include <cmath>
#include <fstream>
#include <sstream>

using namespace ferry;
using namespace ferry::upscale;
using namespace ferry::upscale::test;

namespace {

// Structure of every kind: gradients, fine stripes that change direction, saturated blocks, single pixels, noise.
picture drawn(int width, int height, int channels = 3, int bits = 8) {
  picture made{width, height, channels, bits, {}, {}};
  std::mt19937 random(99);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < channels; ++c) {
        double level = 127 + 120 * std::sin(0.002 * (x * x + 3 * y * y) + c);
        if ((x / 24 + y / 24) % 5 == 0)
          level = (x / 8 + y / 8 + c) % 2 == 0 ? 255 : 0;
        if ((x / 24 + y / 24) % 5 == 1)
          level = static_cast<double>(random() % 256);
        if ((x / 24 + y / 24) % 5 == 2)
          level = (x + y) % 2 == 0 ? 255 : 0;
        made.samples.push_back(static_cast<std::uint16_t>(std::lround(level / 255.0 * made.sample_max())));
      }
  return made;
}

std::unique_ptr<engine> cpu(network model, int threads = 2) { return make_cpu_engine(std::move(model), {threads, {}}).value(); }

network tiny() { return load_network(fixtures() / "tiny_rdn", "tiny", 3).value(); }

network npm_network(const std::string& name, int scale) {
  const auto folder = find_network(name, scale, {});
  if (!folder)
    SKIP(to_string(folder.error()));
  return load_network(*folder, name, scale).value();
}

constexpr tile_plan whole{100'000, 0};

// Counts what engines are asked for, and remembers the tiles' sizes.
class watching_engine final : public engine {
public:
  explicit watching_engine(std::unique_ptr<engine> by) : by_(std::move(by)) {}
  [[nodiscard]] std::string description() const override { return by_->description(); }
  [[nodiscard]] const network& model() const override { return by_->model(); }
  [[nodiscard]] std::uint64_t memory_bytes(int width, int height, int at_once) const override {
    return by_->memory_bytes(width, height, at_once);
  }
  [[nodiscard]] result<void> enlarge(std::span<const tile> inputs, std::span<tile> outputs,
                                     const std::function<bool(std::size_t)>& on_tile) override {
    for (const tile& one : inputs) {
      sizes.emplace_back(one.width, one.height);
      pixels += static_cast<std::size_t>(one.width) * static_cast<std::size_t>(one.height);
    }
    return by_->enlarge(inputs, outputs, on_tile);
  }

  std::vector<std::pair<int, int>> sizes;
  std::size_t pixels = 0;

private:
  std::unique_ptr<engine> by_;
};

long resident_high_water_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:"))
      return std::stol(line.substr(6));
  return 0;
}

} // namespace

TEST_CASE("a picture computed in tiles equals the picture computed whole, when tiles overlap by the network's reach") {
  const auto by = cpu(tiny());
  const int width = GENERATE(40, 71, 150);
  const picture source = drawn(width, 53);
  const tile expected = enlarge_colours(*by, source, whole, {}).value();
  CHECK(expected.width == 3 * width);
  CHECK(expected.height == 3 * 53);
  const int tile_pixels = GENERATE(32, 48, 64);
  const tile tiled = enlarge_colours(*by, source, {tile_pixels, by->model().reach_pixels()}, {}).value();
  CHECK(furthest(tiled.rgb, expected.rgb) < 0.01F);
  // The test can fail: without overlap seams show.
  if (width == 150)
    CHECK(furthest(enlarge_colours(*by, source, {tile_pixels, 0}, {}).value().rgb, expected.rgb) > 1.0F);
}

TEST_CASE("the overlap chosen keeps tiled and whole results of every network within one grey level") {
  const auto [name, scale] =
      GENERATE(table<std::string, int>({{"slim", 2}, {"medium", 2}, {"medium", 4}, {"thick", 2}, {"thick", 4}}));
  const auto by = cpu(npm_network(name, scale));
  const picture source = drawn(80, 70);
  const tile expected = enlarge_colours(*by, source, whole, {}).value();
  const tile tiled = enlarge_colours(*by, source, {40, overlap_for(by->model())}, {}).value();
  INFO(name << " ×" << scale << ", overlap " << overlap_for(by->model()));
  CHECK(furthest(tiled.rgb, expected.rgb) < 1.0F);
}

TEST_CASE("tiles are of one size, and the engine computes hardly more than the picture and the overlaps") {
  watching_engine by(cpu(tiny()));
  const picture source = drawn(100, 90);
  REQUIRE(enlarge_colours(by, source, {40, 10}, {}));
  REQUIRE(by.sizes.size() == 9);
  for (const auto& size : by.sizes)
    CHECK(size == by.sizes.front());
  CHECK(by.sizes.front() == std::pair{34 + 20, 30 + 20});
}

TEST_CASE("progress counts tiles up to all of them, and stops the work when it says so") {
  const auto by = cpu(tiny());
  const picture source = drawn(100, 50);
  std::vector<std::pair<int, int>> told;
  REQUIRE(enlarge_colours(*by, source, {40, 10}, [&](int done, int all) {
    told.emplace_back(done, all);
    return true;
  }));
  CHECK(told == std::vector<std::pair<int, int>>{{1, 6}, {2, 6}, {3, 6}, {4, 6}, {5, 6}, {6, 6}});
  const auto stopped = enlarge_colours(*by, source, {40, 10}, [](int done, int) { return done < 4; });
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().code == error_code::unavailable);
}

TEST_CASE("grey, alpha and 16 bits go in as the colours that they stand for") {
  const auto by = cpu(tiny());
  const picture grey = drawn(20, 10, 1);
  picture colours{20, 10, 3, 8, {}, {}};
  picture deep{20, 10, 4, 16, {}, {}};
  for (const std::uint16_t level : grey.samples) {
    colours.samples.insert(colours.samples.end(), {level, level, level});
    const auto wide = static_cast<std::uint16_t>(level * 257);
    deep.samples.insert(deep.samples.end(), {wide, wide, wide, 12345});
  }
  const tile expected = enlarge_colours(*by, colours, whole, {}).value();
  CHECK(enlarge_colours(*by, grey, whole, {}).value().rgb == expected.rgb);
  CHECK(furthest(enlarge_colours(*by, deep, whole, {}).value().rgb, expected.rgb) < 0.01F);
  for (const float level : expected.rgb)
    REQUIRE((level >= 0 && level <= 255));
}

TEST_CASE("a single pixel is enlarged too") {
  const auto by = cpu(tiny());
  CHECK(enlarge_colours(*by, drawn(1, 1), {256, 16}, {}).value().rgb.size() == 27);
}

TEST_CASE("the plan's tiles fit the memory, are as large as pays, and too little memory is told") {
  watching_engine by(cpu(tiny()));
  const picture source = drawn(500, 400);
  const std::uint64_t mib = 1024 * 1024;
  const auto large = plan_tiles(by, source.width, source.height, 8192 * mib);
  REQUIRE(large);
  CHECK(large->tile_pixels >= 500); // one tile has no overlaps
  CHECK(large->overlap_pixels == overlap_for(by.model()));
  int before = large->tile_pixels;
  for (const std::uint64_t most : {40 * mib, 20 * mib, 10 * mib}) {
    const auto plan = plan_tiles(by, source.width, source.height, most);
    REQUIRE(plan);
    CHECK(plan->tile_pixels < before);
    CHECK(plan->tile_pixels >= 32);
    by.sizes.clear();
    REQUIRE(enlarge_colours(by, source, *plan, {}));
    for (const auto& [width, height] : by.sizes)
      CHECK(by.memory_bytes(width, height, 1) <= most);
    before = plan->tile_pixels;
  }
  const auto none = plan_tiles(by, source.width, source.height, mib / 2);
  REQUIRE_FALSE(none);
  CHECK(none.error().code == error_code::out_of_memory);
  CHECK(none.error().what.find("MiB") != std::string::npos);
}

TEST_CASE("pictures and plans that cannot be are refused") {
  const auto by = cpu(tiny());
  picture cut = drawn(10, 10);
  cut.samples.pop_back();
  CHECK(enlarge_colours(*by, cut, whole, {}).error().code == error_code::invalid_argument);
  CHECK(enlarge_colours(*by, {}, whole, {}).error().code == error_code::invalid_argument);
  CHECK(enlarge_colours(*by, drawn(4, 4), {0, 0}, {}).error().code == error_code::invalid_argument);
  CHECK(enlarge_colours(*by, drawn(4, 4), {32, -1}, {}).error().code == error_code::invalid_argument);
  CHECK(plan_tiles(*by, 0, 5, 1 << 30).error().code == error_code::invalid_argument);
}

TEST_CASE("a result of 3840 × 2160 pixels is made with less than 1 GiB resident") {
  const auto by = cpu(npm_network("slim", 4));
  const picture source = drawn(960, 540);
  const auto plan = plan_tiles(*by, source.width, source.height, 512 * 1024 * 1024);
  REQUIRE(plan);
  const tile made = enlarge_colours(*by, source, *plan, {}).value();
  CHECK(made.width == 3840);
  CHECK(made.height == 2160);
  CHECK(resident_high_water_kib() < 1024 * 1024);
}
