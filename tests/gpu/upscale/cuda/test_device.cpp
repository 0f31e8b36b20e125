// On a GPU: the engine against the definition of the networks and against the CPU, its memory, and how it bears what goes wrong.
// Where there is no device the tests are skipped, with the reason that the engine itself gives.
#include "gpu/upscale/compute/cpu/cpu_engine.hpp"
#include "gpu/upscale/compute/cuda/device_engine.hpp"
#include "gpu/upscale/compute/cuda/kernels/kernels.hpp"
#include "gpu/upscale/network/load.hpp"
#include "tests/gpu/upscale/cuda/host_run.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ferry;
using namespace ferry::upscale;
using namespace ferry::upscale::cuda;

namespace {

constexpr enum precision every_precision[] = {precision::fp16, precision::tf32, precision::fp32};

void skip_without_device() {
  if (const auto count = cuda_device_count(); !count)
    SKIP(to_string(count.error()));
}

[[nodiscard]] std::unique_ptr<device_engine> engine_for(const network& model, const cuda_options& options) {
  auto made = device_engine::make(model, options);
  if (!made)
    FAIL(to_string(made.error()));
  return std::move(*made);
}

[[nodiscard]] std::vector<tile> enlarged(engine& engine, const std::vector<tile>& inputs) {
  std::vector<tile> outputs(inputs.size());
  std::vector<std::size_t> done;
  const auto result = engine.enlarge(inputs, outputs, [&](std::size_t i) {
    done.push_back(i);
    return true;
  });
  if (!result)
    FAIL(to_string(result.error()));
  REQUIRE(done.size() == inputs.size());
  for (std::size_t i = 0; i < done.size(); ++i)
    REQUIRE(done[i] == i);
  return outputs;
}

[[nodiscard]] std::vector<tile> random_tiles(int count, int width, int height, bool exact) {
  std::vector<tile> tiles;
  for (int i = 0; i < count; ++i)
    tiles.push_back(random_tile(width, height, static_cast<std::uint64_t>(100 + i), exact));
  return tiles;
}

// A dense block as thick's.
[[nodiscard]] network dense_network(bool exact) {
  return make_network(4,
                      {{{0}, 64, 3},
                       {{1}, 32, 3, true},
                       {{1, 2}, 32, 3, true},
                       {{1, 2, 3}, 64, 3, false, {{1, 1.0F}}},
                       {{4}, 64, 5, true},
                       {{5, 4}, 64, 1, false, {{4, 1.0F}, {1, -1.0F}}},
                       {{6}, 48, 3}},
                      31, exact);
}

} // namespace

TEST_CASE("device: what every precision can hold is computed to the last bit") {
  skip_without_device();
  const network model = dense_network(true);
  for (const auto& [width, height] : {std::pair{1, 1}, {7, 30}, {16, 16}, {33, 17}, {100, 66}}) {
    const std::vector<tile> inputs = random_tiles(2, width, height, true);
    const std::vector<tile> expected = {run_plainly(model, inputs[0]), run_plainly(model, inputs[1])};
    for (const enum precision precision : every_precision) {
      const auto engine = engine_for(model, {0, precision, 0});
      const std::vector<tile> outputs = enlarged(*engine, inputs);
      INFO(engine->description() << ", " << width << "×" << height);
      CHECK(largest_difference(outputs[0], expected[0]) == 0.0);
      CHECK(largest_difference(outputs[1], expected[1]) == 0.0);
    }
  }
}

TEST_CASE("device: networks agree with the CPU within one grey level in fp16 and tf32, a hundredth in fp32") {
  skip_without_device();
  struct known {
    const char* name;
    int scale;
  };
  int found = 0;
  for (const known& one : {known{"slim", 2}, {"slim", 4}, {"medium", 2}, {"medium", 4}, {"thick", 2}, {"thick", 4}}) {
    const auto folder = find_network(one.name, one.scale, {});
    if (!folder)
      continue;
    const auto model = load_network(*folder, one.name, one.scale);
    INFO((model ? std::string(one.name) : to_string(model.error())));
    REQUIRE(model);
    ++found;
    auto cpu = make_cpu_engine(*model, {2, {}});
    REQUIRE(cpu);
    const std::vector<tile> inputs = random_tiles(2, 72, 56, false); // noise: harder than photos
    const std::vector<tile> expected = enlarged(**cpu, inputs);
    for (const enum precision precision : every_precision) {
      const auto engine = engine_for(*model, {0, precision, 0});
      const std::vector<tile> outputs = enlarged(*engine, inputs);
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        const double difference = largest_difference(outputs[i], expected[i]);
        UNSCOPED_INFO(one.name << " ×" << one.scale << " on " << engine->description() << ": " << difference << " of 255");
        CHECK(difference <= (precision == precision::fp32 ? 0.01 : 1.0));
      }
    }
  }
  if (found == 0)
    SKIP("no network is installed (scripts/setup, or set FERRY_MODELS)");
}

TEST_CASE("device: many tiles at once are the tiles one by one, bit for bit") {
  skip_without_device();
  const network model = dense_network(false);
  const std::vector<tile> inputs = random_tiles(11, 48, 40, false);
  for (const enum precision precision : every_precision) {
    const auto engine = engine_for(model, {0, precision, 0});
    engine->set_count_at_once(1);
    const std::vector<tile> one_by_one = enlarged(*engine, inputs);
    for (const int count : {2, 3, 4, 11}) {
      engine->set_count_at_once(count);
      const std::vector<tile> together = enlarged(*engine, inputs);
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        INFO(count << " at once, tile " << i);
        CHECK(together[i].rgb == one_by_one[i].rgb);
      }
    }
  }
}

TEST_CASE("device: launches that overlap compute the same as launches that wait") {
  skip_without_device();
  const auto engine = engine_for(dense_network(false), {});
  const std::vector<tile> inputs = random_tiles(6, 128, 128, false);
  engine->set_overlapping_launches(false);
  const std::vector<tile> waiting = enlarged(*engine, inputs);
  engine->set_overlapping_launches(true);
  for (int repeat = 0; repeat < 20; ++repeat) {
    const std::vector<tile> overlapping = enlarged(*engine, inputs);
    for (std::size_t i = 0; i < inputs.size(); ++i)
      REQUIRE(overlapping[i].rgb == waiting[i].rgb);
  }
}

TEST_CASE("device: what was said of memory is what is taken") {
  skip_without_device();
  const auto engine = engine_for(dense_network(false), {});
  engine->set_count_at_once(3);
  static_cast<void>(enlarged(*engine, random_tiles(3, 100, 80, false)));
  CHECK(engine->memory_held() == engine->memory_bytes(100, 80, 3));
  // Smaller batches use what is there, larger ones take more.
  engine->set_count_at_once(1);
  static_cast<void>(enlarged(*engine, random_tiles(2, 50, 50, false)));
  CHECK(engine->memory_held() == engine->memory_bytes(100, 80, 3));
  engine->set_count_at_once(5);
  static_cast<void>(enlarged(*engine, random_tiles(5, 100, 80, false)));
  CHECK(engine->memory_held() == engine->memory_bytes(100, 80, 5));
}

TEST_CASE("device: a bound on memory makes batches smaller, and is never passed") {
  skip_without_device();
  const network model = dense_network(false);
  const auto unbounded = engine_for(model, {});
  const std::uint64_t limit = unbounded->memory_bytes(128, 128, 2);
  const auto bounded = engine_for(model, {0, precision::fp16, limit});
  CHECK(bounded->count_at_once(128, 128, 100) == 2);
  const std::vector<tile> inputs = random_tiles(5, 128, 128, false);
  const std::vector<tile> outputs = enlarged(*bounded, inputs);
  CHECK(bounded->memory_held() <= limit);
  const std::vector<tile> expected = enlarged(*unbounded, inputs);
  for (std::size_t i = 0; i < inputs.size(); ++i)
    CHECK(outputs[i].rgb == expected[i].rgb);

  const auto refused = device_engine::make(model, {0, precision::fp16, 1 << 20});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == error_code::out_of_memory);
}

TEST_CASE("device: too large a tile is out of memory, and the engine works on") {
  skip_without_device();
  const network model = dense_network(true);
  const auto check_works = [&](device_engine& engine) {
    const std::vector<tile> inputs = random_tiles(1, 40, 40, true);
    CHECK(largest_difference(enlarged(engine, inputs)[0], run_plainly(model, inputs[0])) == 0.0);
  };
  const std::vector<tile> large = random_tiles(1, 3000, 3000, true);
  std::vector<tile> outputs(1);

  const auto bounded = engine_for(model, {0, precision::fp16, std::uint64_t{512} << 20});
  const auto refused = bounded->enlarge(large, outputs, {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == error_code::out_of_memory);
  check_works(*bounded);

  // A bound that promises more than the device has: the driver itself refuses.
  std::size_t available = 0;
  std::size_t all = 0;
  REQUIRE(cudaMemGetInfo(&available, &all) == cudaSuccess);
  const auto deceived = engine_for(model, {0, precision::fp16, std::uint64_t{1} << 50});
  check_works(*deceived);
  auto hoard = allocate_device(available - (std::uint64_t{700} << 20)); // others hold nearly everything
  REQUIRE(hoard);
  const auto failed = deceived->enlarge(large, outputs, {});
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == error_code::out_of_memory);
  check_works(*deceived);
  hoard->reset();
  check_works(*deceived);
}

TEST_CASE("device: a batch that does not fit beside others' memory is computed in smaller ones") {
  skip_without_device();
  const network model = dense_network(true);
  const auto engine = engine_for(model, {0, precision::fp16, std::uint64_t{1} << 50});
  engine->set_count_at_once(16);
  std::size_t available = 0;
  std::size_t all = 0;
  REQUIRE(cudaMemGetInfo(&available, &all) == cudaSuccess);
  const std::uint64_t four = engine->memory_bytes(512, 512, 4);
  REQUIRE(available > 2 * four);
  auto hoard = allocate_device(available - four - (std::uint64_t{128} << 20));
  REQUIRE(hoard);
  const std::vector<tile> inputs = random_tiles(16, 512, 512, true);
  const std::vector<tile> outputs = enlarged(*engine, inputs);
  CHECK(engine->memory_held() <= four);
  hoard->reset();
  const std::vector<tile> together = enlarged(*engine, inputs);
  CHECK(engine->memory_held() == engine->memory_bytes(512, 512, 16));
  for (std::size_t i = 0; i < inputs.size(); ++i)
    CHECK(outputs[i].rgb == together[i].rgb);
}

TEST_CASE("device: the caller stops between tiles, and may go on afterwards") {
  skip_without_device();
  const auto engine = engine_for(dense_network(true), {});
  engine->set_count_at_once(2);
  const std::vector<tile> inputs = random_tiles(9, 32, 32, true);
  std::vector<tile> outputs(inputs.size());
  std::size_t last = 0;
  const auto stopped = engine->enlarge(inputs, outputs, [&](std::size_t i) {
    last = i;
    return i != 2;
  });
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().code == error_code::unavailable);
  CHECK(last == 2);
  CHECK(outputs[8].rgb.empty());
  CHECK(enlarged(*engine, inputs)[8].width == 128);
}

TEST_CASE("device: tiles of many sizes keep few graphs") {
  skip_without_device();
  const network model = dense_network(true);
  const auto engine = engine_for(model, {});
  for (int side = 20; side < 60; ++side) {
    const std::vector<tile> inputs = random_tiles(2, side, 20, true);
    CHECK(largest_difference(enlarged(*engine, inputs)[1], run_plainly(model, inputs[1])) == 0.0);
  }
  CHECK(engine->graphs_held() <= 16);
}

TEST_CASE("device: wrong arguments are refused") {
  skip_without_device();
  const auto none = device_engine::make(dense_network(true), {1'000, precision::fp16, 0});
  REQUIRE_FALSE(none);
  CHECK(none.error().code == error_code::unavailable);
  const auto engine = engine_for(dense_network(true), {});
  std::vector<tile> inputs = {random_tile(8, 8, 1, true), random_tile(8, 9, 1, true)};
  std::vector<tile> outputs(2);
  CHECK(engine->enlarge(inputs, outputs, {}).error().code == error_code::invalid_argument);
  inputs[1] = inputs[0];
  inputs[1].rgb.pop_back();
  CHECK(engine->enlarge(inputs, outputs, {}).error().code == error_code::invalid_argument);
  CHECK(engine->enlarge(std::span<const tile>(), outputs, {}).error().code == error_code::invalid_argument);
  CHECK(engine->enlarge(std::span<const tile>(), std::span<tile>(), {}));
}

TEST_CASE("every kernel that is promised is built, and no other") {
  for (const enum precision precision : every_precision) {
    for (const int kernel : {1, 2, 3, 5, 7}) {
      for (int groups = 0; groups <= 5; ++groups) {
        for (const int rows : {4, 8, 16}) {
          const kernel_variant variant{precision, kernel, groups, rows};
          INFO("precision " << static_cast<int>(precision) << ", kernel " << kernel << ", groups " << groups << ", rows " << rows);
          CHECK((find_kernel(variant).function != nullptr) == is_built(variant));
        }
      }
    }
  }
}
