// The kernels' own text, carried out on the host, against the definition of the networks; and what is known of memory before any is
// taken.
#include "gpu/upscale/compute/cuda/launch_plan.hpp"
#include "gpu/upscale/network/load.hpp"
#include "tests/gpu/upscale/cuda/host_run.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <limits>
#include <set>

using namespace ferry;
using namespace ferry::upscale;
using namespace ferry::upscale::cuda;

namespace {

constexpr enum precision every_precision[] = {precision::fp16, precision::tf32, precision::fp32};

[[nodiscard]] compiled_network compiled(const network& model, enum precision precision) {
  auto made = compile(model, precision);
  if (!made)
    FAIL(to_string(made.error()));
  return std::move(*made);
}

void check_against_definition(const network& model, const std::vector<tile>& inputs, enum precision precision, int multiprocessors,
                              double tolerance) {
  const host_result answer = run_on_host(compiled(model, precision), inputs, multiprocessors);
  for (const std::string& fault : answer.findings.faults)
    FAIL_CHECK(fault);
  if (precision != precision::fp32) // the yardstick is allowed some
    CHECK(answer.findings.bank_conflicts == 0);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    INFO("precision " << static_cast<int>(precision) << ", tile " << i);
    CHECK(largest_difference(answer.outputs[i], run_plainly(model, inputs[i])) <= tolerance);
  }
}

} // namespace

namespace {

// Sizes that are no multiple of a tile, two images, sources that fill no plane, all parts of the end of a layer.
void check_every_kernel(enum precision precision) {
  std::set<std::tuple<int, int, int>> seen;
  for (const int kernel : {1, 3, 5}) {
    for (const int channels : {12, 20, 45, 64}) {
      const network model = make_network(
          2, {{{0}, channels, kernel, true}, {{0, 1}, channels, kernel, false, {{1, -1}}}, {{2, 0, 1}, 12, kernel, false, {}}}, 7,
          true);
      const std::vector<tile> inputs = {random_tile(19, 17, 1, true), random_tile(19, 17, 2, true)};
      for (const int multiprocessors : {0, 1000}) { // large and flat tiles
        check_against_definition(model, inputs, precision, multiprocessors, 0.0);
        for (const launch& one : plan_launches(compiled(model, precision), {19, 17, 2}, multiprocessors))
          seen.insert({one.variant.kernel, one.variant.groups, one.variant.rows});
      }
    }
    for (int groups = 1; groups <= 4; ++groups) {
      for (const int rows : {8, 16}) {
        INFO("kernel " << kernel << ", groups " << groups << ", rows " << rows);
        CHECK(seen.contains({kernel, groups, rows}) == is_built({precision, kernel, groups, rows}));
      }
    }
  }
}

} // namespace

TEST_CASE("every kernel that is built computes convolutions exactly in fp16") { check_every_kernel(precision::fp16); }
TEST_CASE("every kernel that is built computes convolutions exactly in tf32") { check_every_kernel(precision::tf32); }
TEST_CASE("every kernel that is built computes convolutions exactly in fp32") { check_every_kernel(precision::fp32); }

TEST_CASE("all sizes from one pixel to two tiles are computed exactly") {
  const network model = make_network(3, {{{0}, 16, 3, true}, {{1, 0}, 27, 3, false, {}}}, 11, true);
  for (const enum precision precision : every_precision) {
    for (const auto& [width, height] :
         {std::pair{1, 1}, {1, 40}, {40, 1}, {2, 3}, {15, 8}, {16, 16}, {17, 9}, {32, 16}, {33, 31}}) {
      for (const int multiprocessors : {0, 1000})
        check_against_definition(model, {random_tile(width, height, 3, true)}, precision, multiprocessors, 0.0);
    }
  }
}

TEST_CASE("dense blocks with residuals in residuals compute what they say, in memory that values share") {
  // Two blocks as thick's, narrow, with its tail.
  std::vector<layer> layers = {{{0}, 32, 3}};
  int block_in = 1;
  for (int block = 0; block < 2; ++block) {
    const int first = block_in;
    std::vector<int> sources = {first};
    for (int i = 0; i < 3; ++i) {
      layers.push_back({sources, 16, 3, true});
      sources.push_back(static_cast<int>(layers.size()));
    }
    layers.push_back({sources, 32, 3, false, {{first, 1.0F}, {1, 2.0F}}});
    block_in = static_cast<int>(layers.size());
  }
  layers.push_back({{block_in}, 48, 3});
  const network model = make_network(4, layers, 13, true);
  for (const enum precision precision : every_precision)
    check_against_definition(model, {random_tile(37, 18, 5, true), random_tile(37, 18, 6, true), random_tile(37, 18, 7, true)},
                             precision, 0, 0.0);
}

TEST_CASE("a network that adds its input computes the same") {
  const network model = make_network(1, {{{0}, 3, 3, true, {{0, 2.0F}}}, {{1}, 3, 1, false, {{0, 1.0F}, {1, -1.0F}}}}, 17, true);
  for (const enum precision precision : every_precision)
    check_against_definition(model, {random_tile(20, 20, 9, true)}, precision, 0, 0.0);
}

TEST_CASE("what does not fit a format is rounded, and stays near") {
  const network model =
      make_network(2, {{{0}, 64, 3}, {{1}, 32, 3, true}, {{1, 2}, 64, 3, false, {{1, 1.0F}}}, {{3}, 12, 3}}, 19, false);
  // Of 255 grey levels. Seen: 0.35, 0.2 and 0.0001.
  check_against_definition(model, {random_tile(24, 24, 4, false)}, precision::fp16, 0, 1.0);
  check_against_definition(model, {random_tile(24, 24, 4, false)}, precision::tf32, 0, 1.0);
  check_against_definition(model, {random_tile(24, 24, 4, false)}, precision::fp32, 0, 0.001);
}

TEST_CASE("the networks of the npm packages stay within one grey level") {
  struct known {
    const char* name;
    int scale;
    int side;
  };
  // Instruction by instruction the larger ones take long: only when asked for.
  const bool thorough = std::getenv("FERRY_CUDA_THOROUGH") != nullptr;
  int found = 0;
  for (const known& one : {known{"slim", 2, 20}, {"slim", 4, 16}, {"medium", 2, 24}, {"thick", 4, 24}}) {
    if (std::string_view(one.name) != "slim" && !thorough)
      continue;
    const auto folder = find_network(one.name, one.scale, {});
    if (!folder)
      continue;
    const auto model = load_network(*folder, one.name, one.scale);
    INFO((model ? std::string(one.name) : to_string(model.error())));
    REQUIRE(model);
    ++found;
    const tile input = random_tile(one.side, one.side, 23, false); // noise: harder than photos
    const tile expected = run_plainly(*model, input);
    for (const enum precision precision : every_precision) {
      const host_result answer = run_on_host(compiled(*model, precision), {input}, 132);
      CHECK(answer.findings.faults.empty());
      const double difference = largest_difference(answer.outputs[0], expected);
      UNSCOPED_INFO(one.name << " ×" << one.scale << ", precision " << static_cast<int>(precision) << ": " << difference);
      CHECK(difference <= (precision == precision::fp32 ? 0.01 : 1.0));
    }
  }
  if (found == 0)
    SKIP("no network is installed (scripts/setup, or set FERRY_MODELS)");
}

TEST_CASE("networks that cannot be run are refused by name") {
  const network good = make_network(2, {{{0}, 16, 3}, {{1}, 12, 3}}, 1, false);
  REQUIRE(compile(good, precision::fp16));
  const auto refused = [&](auto&& spoil, enum precision precision = precision::fp16) {
    network model = good;
    spoil(model);
    const auto made = compile(std::move(model), precision);
    REQUIRE_FALSE(made);
    CHECK(made.error().code == error_code::invalid_argument);
    CHECK(made.error().what.find("made up") != std::string::npos);
  };
  refused([](network& m) { m.steps[1].kernel = 7; });
  refused([](network& m) { m.steps[1].sources = {2}; });
  refused([](network& m) { m.steps[1].sources = {}; });
  refused([](network& m) { m.steps[1].output = 1; });
  refused([](network& m) { m.steps[1].output = 9; });
  refused([](network& m) { m.steps[1].weights.pop_back(); });
  refused([](network& m) { m.steps[0].bias.push_back(0); });
  refused([](network& m) { m.steps[1].residuals = {{1, 1.0F}}; });
  refused([](network& m) { m.steps.pop_back(); });
  refused([](network& m) { m.steps.clear(); });
  refused([](network& m) { m.scale = 3; });
  refused([](network& m) { m.values[0].channels = 4; });
  refused([](network& m) { m.values[1].channels = 0; });
  refused([](network& m) { m.steps[0].weights[0] = std::numeric_limits<float>::infinity(); }, precision::fp32);
  refused([](network& m) { m.steps[0].weights[0] = 70'000; });
  network large = good;
  large.steps[0].weights[0] = 70'000;
  CHECK(compile(large, precision::tf32));
}

TEST_CASE("the memory a batch needs is known, and no stretch of it meets another") {
  const compiled_network made = compiled(make_network(4, {{{0}, 64, 3}, {{1}, 64, 3}, {{1, 2}, 48, 3}}, 1, false), precision::fp16);
  CHECK(made.arena_planes ==
        8); // two values of 64 channels; the input is gone when the second is made, the last goes into the picture
  const tile_batch batch{100, 60, 3};
  const workspace space = workspace_of(made, batch);
  CHECK(plane_bytes(batch) == (100 * 60 * 3 * 32 + 255) / 256 * 256);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> stretches = {{space.arena, made.arena_planes * plane_bytes(batch)},
                                                                    {space.input[0], input_bytes(batch)},
                                                                    {space.input[1], input_bytes(batch)},
                                                                    {space.output[0], output_bytes(batch, 4)},
                                                                    {space.output[1], output_bytes(batch, 4)}};
  std::sort(stretches.begin(), stretches.end());
  for (std::size_t i = 0; i < stretches.size(); ++i) {
    CHECK(stretches[i].first % 256 == 0);
    CHECK(stretches[i].first + stretches[i].second <= (i + 1 < stretches.size() ? stretches[i + 1].first : space.bytes));
  }
  CHECK(device_bytes(made, batch) == in_units(made.constants_bytes) + in_units(space.bytes));
  CHECK(device_bytes(made, {100, 60, 4}) > device_bytes(made, batch));
  CHECK(device_bytes(made, {0, 60, 1}) == std::numeric_limits<std::uint64_t>::max());
  CHECK(device_bytes(made, {100'000, 60, 1}) == std::numeric_limits<std::uint64_t>::max());
  CHECK(device_bytes(made, {60'000, 60'000, 1'000}) == std::numeric_limits<std::uint64_t>::max());
}

TEST_CASE("small tiles are cut finely and computed several at once, large ones alone") {
  const compiled_network made = compiled(make_network(4, {{{0}, 64, 3}, {{1}, 64, 3}, {{1, 2}, 48, 3}}, 1, false), precision::fp16);
  const auto rows = [&](int side) { return plan_launches(made, {side, side, 1}, 132)[1].variant.rows; };
  CHECK(rows(128) == 8);
  CHECK(rows(512) == 16);
  const std::uint64_t cache = 50ULL << 20;
  CHECK(preferred_count(made, 64, 64, 132, cache) > preferred_count(made, 128, 128, 132, cache));
  CHECK(preferred_count(made, 1024, 1024, 132, cache) == 1);
}
