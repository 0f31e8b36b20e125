// Formats, shapes, packing and the memory plan: what the kernels and the host must agree on.
#include "gpu/upscale/compute/cuda/kernel_variant.hpp"
#include "gpu/upscale/compute/cuda/memory_plan.hpp"
#include "gpu/upscale/compute/cuda/tile_shape.hpp"
#include "gpu/upscale/compute/cuda/weight_packing.hpp"
#include "tests/gpu/upscale/cuda/host_run.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <set>

using namespace ferry::upscale;
using namespace ferry::upscale::cuda;

TEST_CASE("every half is a float and back") {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float number = float_from_half(half);
    if ((half & 0x7C00U) == 0x7C00U && (half & 0x3FFU) != 0)
      REQUIRE(std::isnan(number));
    else
      REQUIRE(half_from_float(number) == half);
  }
  CHECK(float_from_half(0x3C00) == 1.0F);
  CHECK(float_from_half(0x7BFF) == 65504.0F);
  CHECK(float_from_half(0x0001) == std::ldexp(1.0F, -24));
  CHECK(half_from_float(std::numeric_limits<float>::quiet_NaN()) == 0x7E00);
}

TEST_CASE("a float becomes the nearest half, and of two as near the even one") {
  for (std::uint32_t bits = 0; bits < 0x7C00; ++bits) { // up to the step from 65504 to infinity, which is as wide as the one before
    const double low = float_from_half(static_cast<std::uint16_t>(bits));
    const double high = bits == 0x7BFF ? 65536.0 : static_cast<double>(float_from_half(static_cast<std::uint16_t>(bits + 1)));
    const auto middle = static_cast<float>((low + high) / 2);
    REQUIRE(half_from_float(middle) == (bits % 2 == 0 ? bits : bits + 1));
    REQUIRE(half_from_float(std::nextafter(middle, 0.0F)) == bits);
    REQUIRE(half_from_float(-std::nextafter(middle, 1e9F)) == ((bits + 1) | 0x8000U));
  }
}

TEST_CASE("tf32 keeps ten bits of the fraction and rounds ties away from zero") {
  CHECK(round_to_tf32(1.0F + std::ldexp(1.0F, -11)) == 1.0F + std::ldexp(1.0F, -10));
  CHECK(round_to_tf32(-1.0F - std::ldexp(1.0F, -11)) == -1.0F - std::ldexp(1.0F, -10));
  CHECK(round_to_tf32(1.0F + std::ldexp(1.0F, -12)) == 1.0F);
  CHECK(std::isinf(round_to_tf32(std::numeric_limits<float>::infinity())));
  random_numbers random(3);
  for (int i = 0; i < 10'000; ++i) {
    const float number = (random.real() - 0.5F) * std::ldexp(1.0F, random.between(-40, 40));
    REQUIRE(std::abs(static_cast<double>(round_to_tf32(number)) - static_cast<double>(number)) <=
            std::abs(static_cast<double>(number)) * std::ldexp(1.0, -11));
  }
}

namespace {

template <class Numbers>
void check_weight_places() {
  std::set<int> places;
  constexpr int bytes = pixel_bytes / Numbers::plane_channels;
  for (int from = 0; from < Numbers::plane_channels; ++from) {
    for (int to = 0; to < group_channels; ++to) {
      const int place = weight_offset<Numbers>(from, to);
      REQUIRE(place % bytes == 0);
      REQUIRE(place >= 0);
      REQUIRE(place + bytes <= group_bytes);
      places.insert(place);
    }
  }
  CHECK(places.size() * bytes == group_bytes);
}

template <class Shape>
void check_shape() {
  INFO("kernel " << Shape::kernel << ", groups " << Shape::groups << ", rows " << Shape::rows);
  // A thread's pieces are at fixed distances, and all threads' pieces fill the plane once.
  std::set<int> filled;
  for (int piece = 0; piece < Shape::pixel_pieces; ++piece) {
    filled.insert(piece_offset(piece));
    REQUIRE(piece_offset(piece + Shape::threads) == piece_offset(piece) + Shape::threads * 16);
  }
  CHECK(filled.size() == static_cast<std::size_t>(Shape::pixel_pieces));
  CHECK(*filled.rbegin() + 16 == Shape::plane_bytes);
  // Eight addresses serve all displacements.
  for (int lane = 0; lane < lanes_of_warp; ++lane) {
    for (int displacement = 0; displacement < 4 * Shape::pitch + Shape::kernel; ++displacement)
      REQUIRE(fragment_offset<Shape>(lane, 3, displacement) ==
              fragment_offset<Shape>(lane, 3, displacement & 7) + (displacement & ~7) * pixel_bytes);
  }
  // The warps' rectangles cover the tile once.
  std::set<std::pair<int, int>> covered;
  for (int warp = 0; warp < Shape::threads / lanes_of_warp; ++warp) {
    for (int row = 0; row < Shape::warp_rows; ++row) {
      for (int group = 0; group < Shape::warp_groups; ++group)
        REQUIRE(covered.insert({first_row<Shape>(warp) + row, first_group<Shape>(warp) + group}).second);
    }
  }
  CHECK(covered.size() == static_cast<std::size_t>(Shape::rows * Shape::groups));
}

} // namespace

TEST_CASE("each weight of a group has a place of its own") {
  check_weight_places<fp16_numbers>();
  check_weight_places<tf32_numbers>();
  check_weight_places<fp32_numbers>();
  for (int channel = 0; channel < group_channels; ++channel)
    CHECK(channel_of_column(matrix_of_channel(channel), column_of_channel(channel)) == channel);
}

TEST_CASE("threads and warps share a tile out without gap or overlap") {
  check_shape<tile_shape<1, 2, 8>>();
  check_shape<tile_shape<1, 4, 16>>();
  check_shape<tile_shape<3, 1, 8>>();
  check_shape<tile_shape<3, 1, 16>>();
  check_shape<tile_shape<3, 2, 8>>();
  check_shape<tile_shape<3, 2, 16>>();
  check_shape<tile_shape<3, 3, 8>>();
  check_shape<tile_shape<3, 3, 16>>();
  check_shape<tile_shape<3, 4, 8>>();
  check_shape<tile_shape<3, 4, 16>>();
  check_shape<tile_shape<5, 2, 8>>();
  check_shape<tile_shape<5, 2, 16>>();
}

TEST_CASE("packed weights are found again, once each, and all else is zero") {
  const network model = make_network(2, {{{0}, 20, 3}, {{1, 0}, 70, 3}}, 5, false);
  const convolution& step = model.steps[1];
  for (const enum precision precision : {precision::fp16, precision::tf32, precision::fp32}) {
    // 20 channels, padded to whole planes, then 3.
    channel_list channels(static_cast<std::size_t>((planes_of(20, precision) + 1) * plane_channels(precision)), -1);
    for (std::size_t i = 0; i < 20; ++i)
      channels[i] = static_cast<int>(i);
    for (std::size_t i = 0; i < 3; ++i)
      channels[static_cast<std::size_t>(planes_of(20, precision) * plane_channels(precision)) + i] = 20 + static_cast<int>(i);
    for (const int groups : {1, 2, 4}) {
      const packing how{precision, groups, 2};
      const std::vector<std::byte> packed = pack_weights(step, 70, channels, how);
      const int stages = stages_of(channels, how);
      CHECK(packed.size() == static_cast<std::size_t>(channel_blocks_of(70, how) * stages * 2 * 9 * groups * group_bytes));
      double all = 0; // of every number packed, whatever its place
      double expected = 0;
      for (int tap = 0; tap < 9; ++tap) {
        for (int channel = 0; channel < stages * 2 * plane_channels(precision); ++channel) {
          const int from = channel < static_cast<int>(channels.size()) ? channels[static_cast<std::size_t>(channel)] : -1;
          for (int to = 0; to < channel_blocks_of(70, how) * groups * group_channels; ++to) {
            const float found = packed_weight(packed, how, 9, stages, tap, channel, to);
            const float weight = from < 0 || to >= 70 ? 0.0F : step.weights[static_cast<std::size_t>((tap * 23 + from) * 70 + to)];
            const float rounded = precision == precision::fp16   ? float_from_half(half_from_float(weight))
                                  : precision == precision::tf32 ? round_to_tf32(weight)
                                                                 : weight;
            REQUIRE(found == rounded);
            all += std::abs(static_cast<double>(found));
            expected += std::abs(static_cast<double>(rounded));
          }
        }
      }
      CHECK(all == expected);
    }
  }
}

TEST_CASE("values that live at the same time never share memory") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    random_numbers random(seed);
    std::vector<lifetime> lifetimes(static_cast<std::size_t>(random.between(1, 60)));
    for (lifetime& one : lifetimes) {
      one.size = static_cast<std::size_t>(random.between(1, 12));
      one.first = random.between(0, 40);
      one.last = one.first + random.between(0, 10);
    }
    const memory_plan plan = plan_memory(lifetimes);
    std::size_t end = 0;
    for (std::size_t a = 0; a < lifetimes.size(); ++a) {
      end = std::max(end, plan.offsets[a] + lifetimes[a].size);
      for (std::size_t b = 0; b < a; ++b) {
        const bool same_time = lifetimes[a].first <= lifetimes[b].last && lifetimes[b].first <= lifetimes[a].last;
        const bool same_place =
            plan.offsets[a] < plan.offsets[b] + lifetimes[b].size && plan.offsets[b] < plan.offsets[a] + lifetimes[a].size;
        INFO("seed " << seed << ", values " << a << " and " << b);
        REQUIRE_FALSE((same_time && same_place));
      }
    }
    REQUIRE(plan.size == end);
    REQUIRE(plan.size >= least_memory(lifetimes));
    REQUIRE(plan.size <= 2 * least_memory(lifetimes)); // seen: 1.35 at most
  }
}

TEST_CASE("a chain of layers takes turns in two places") {
  std::vector<lifetime> lifetimes;
  for (int step = 0; step < 50; ++step)
    lifetimes.push_back({4, step, step + 1});
  CHECK(plan_memory(lifetimes).size == 8);
}
