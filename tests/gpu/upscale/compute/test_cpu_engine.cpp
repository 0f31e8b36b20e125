#include "gpu/upscale/compute/cpu/cpu_engine.hpp"
#include "tests/gpu/upscale/compute/random_network.hpp"
#include "tests/gpu/upscale/references.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators_all.hpp>

using namespace ferry;
using namespace ferry::upscale;
using namespace ferry::upscale::test;

namespace {

std::unique_ptr<engine> made(network model, const cpu_options& options) {
  auto one = make_cpu_engine(std::move(model), options);
  INFO((one ? "" : to_string(one.error())));
  REQUIRE(one);
  return std::move(*one);
}

tile enlarged(engine& by, const tile& input) {
  tile output;
  const auto done = by.enlarge({&input, 1}, {&output, 1}, {});
  INFO((done ? "" : to_string(done.error())));
  REQUIRE(done);
  return output;
}

std::vector<float> plain(const network& model, const tile& input) {
  return plain_evaluation::of(model, {input.width, input.height, input.rgb});
}

instruction_set any_set() {
  const auto set = GENERATE(instruction_set::portable, instruction_set::avx2, instruction_set::avx512);
  if (set > best_instruction_set())
    SKIP("this processor does not have instruction set " << static_cast<int>(set));
  return set;
}

struct size {
  int width, height;
};

} // namespace

TEST_CASE("each instruction set computes what the network says, for pictures of any shape") {
  const instruction_set set = any_set();
  const size shape =
      GENERATE(size{1, 1}, size{1, 9}, size{7, 1}, size{2, 3}, size{5, 4}, size{13, 17}, size{31, 6}, size{33, 18}, size{64, 5});
  const network model = network_of_all_kinds(3, 2);
  const tile input = random_tile(5, shape.width, shape.height);
  const auto by = made(model, {2, set});
  const tile output = enlarged(*by, input);
  INFO("set " << static_cast<int>(set) << ", " << shape.width << " × " << shape.height);
  CHECK(output.width == 2 * shape.width);
  CHECK(output.height == 2 * shape.height);
  CHECK(furthest(output.rgb, plain(model, input)) < 0.01F);
}

TEST_CASE("every scale puts its pixels where depth-to-space wants them") {
  const instruction_set set = any_set();
  const int scale = GENERATE(2, 3, 4, 8);
  const network model = network_of_all_kinds(7, scale);
  const tile input = random_tile(9, 10, 11);
  const auto by = made(model, {1, set});
  CHECK(furthest(enlarged(*by, input).rgb, plain(model, input)) < 0.01F);
}

TEST_CASE("a last step whose weights are mostly zero, as those of an enlarging tail, is computed right") {
  const instruction_set set = any_set();
  random_network builder(15, 4);
  network model = builder.finish({builder.add({0}, 20, 3, true)});
  convolution& last = model.steps.back();
  for (std::size_t i = 0; i < last.weights.size(); ++i)
    if (const std::size_t tap = i / (20 * 48), phase = i % 48 / 3; tap != 4 && tap != phase % 9)
      last.weights[i] = 0;
  const tile input = random_tile(4, 19, 8);
  const auto by = made(model, {1, set});
  CHECK(furthest(enlarged(*by, input).rgb, plain(model, input)) < 0.01F);
}

TEST_CASE("a last step may have residuals") {
  random_network builder(16, 2);
  const int before = builder.add({0}, 12, 3);
  builder.add({before}, 12, 3, true, {{before, 0.5F}});
  const network model = builder.finish({before}, 1);
  network shortened = model;
  shortened.steps.pop_back();
  const tile input = random_tile(4, 9, 8);
  const auto by = made(shortened, {1, {}});
  CHECK(furthest(enlarged(*by, input).rgb, plain(shortened, input)) < 0.01F);
}

TEST_CASE("an engine is used for tiles of one size after another, and remembers nothing of those before") {
  const network model = network_of_all_kinds(3, 2);
  const auto by = made(model, {2, {}});
  const tile small = random_tile(1, 9, 7);
  const tile large = random_tile(2, 30, 21);
  const tile first = enlarged(*by, small);
  static_cast<void>(enlarged(*by, large));
  CHECK(enlarged(*by, small).rgb == first.rgb);
}

TEST_CASE("the result is the same, bit by bit, whatever the number of threads") {
  const network model = network_of_all_kinds(21, 3);
  const tile input = random_tile(8, 61, 47);
  const auto alone = made(model, {1, {}});
  const tile expected = enlarged(*alone, input);
  const int threads = GENERATE(2, 3, 5, 16);
  const auto together = made(model, {threads, {}});
  CHECK(enlarged(*together, input).rgb == expected.rgb);
}

TEST_CASE("several tiles are told one after the other, and stop when told to") {
  const network model = network_of_all_kinds(3, 2);
  const auto by = made(model, {1, {}});
  const std::vector<tile> inputs{random_tile(1, 8, 8), random_tile(2, 8, 8), random_tile(3, 8, 8)};
  std::vector<tile> outputs(3);
  std::vector<std::size_t> told;
  CHECK(by->enlarge(inputs, outputs, [&](std::size_t i) {
    told.push_back(i);
    return outputs[i].rgb.size() == 16 * 16 * 3;
  }));
  CHECK(told == std::vector<std::size_t>{0, 1, 2});
  std::vector<tile> stopped(3);
  const auto done = by->enlarge(inputs, stopped, [](std::size_t i) { return i < 1; });
  REQUIRE_FALSE(done);
  CHECK(done.error().code == error_code::unavailable);
  CHECK(stopped[2].rgb.empty());
}

TEST_CASE("tiles and options that cannot be are refused") {
  const network model = network_of_all_kinds(3, 2);
  CHECK(make_cpu_engine(model, {0, {}}).error().code == error_code::invalid_argument);
  CHECK(make_cpu_engine(model, {100'000, {}}).error().code == error_code::invalid_argument);
  CHECK(make_cpu_engine({}, {1, {}}).error().code == error_code::invalid_argument);
  if (best_instruction_set() < instruction_set::avx512)
    CHECK(make_cpu_engine(model, {1, instruction_set::avx512}).error().code == error_code::unavailable);
  const auto by = made(model, {1, {}});
  tile output;
  const tile none;
  const tile wrong{4, 4, std::vector<float>(7)};
  CHECK(by->enlarge({&none, 1}, {&output, 1}, {}).error().code == error_code::invalid_argument);
  CHECK(by->enlarge({&wrong, 1}, {&output, 1}, {}).error().code == error_code::invalid_argument);
  const std::vector<tile> unlike{random_tile(1, 4, 4), random_tile(1, 5, 4)};
  std::vector<tile> two(2);
  CHECK(by->enlarge(unlike, two, {}).error().code == error_code::invalid_argument);
  CHECK(by->enlarge(unlike, {&output, 1}, {}).error().code == error_code::invalid_argument);
}

TEST_CASE("a tile that no memory holds is told as such, and the engine goes on") {
  const network model = network_of_all_kinds(3, 2);
  const auto by = made(model, {1, {}});
  CHECK(by->memory_bytes(200, 100, 1) > by->memory_bytes(100, 100, 1));
  CHECK(by->memory_bytes(100, 100, 2) > by->memory_bytes(100, 100, 1));
  CHECK(by->memory_bytes(100, 100, 1) > 100 * 100 * 40 * sizeof(float));
  const tile input = random_tile(1, 6, 6);
  CHECK(enlarged(*by, input).rgb.size() == 12 * 12 * 3);
}

TEST_CASE("the description names the instruction set and the threads") {
  const auto by = made(network_of_all_kinds(3, 2), {3, instruction_set::portable});
  CHECK(by->description() == "CPU, portable, 3 threads");
  CHECK(by->model().scale == 2);
}
