#include "scheduling/batch_cost.hpp"
#include "scheduling/duration_estimator.hpp"

#include <array>
#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>

using namespace ferry;
using namespace ferry::scheduling;
using namespace std::chrono_literals;
using Catch::Approx;

namespace {

class numbers {
public:
  explicit numbers(std::uint64_t seed) : state_(seed) {}
  std::int64_t below(std::int64_t n) {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<std::int64_t>((state_ >> 33U) % static_cast<std::uint64_t>(n));
  }

private:
  std::uint64_t state_;
};

instant at(std::int64_t seconds) { return from_unix_ms(seconds * 1000); }

// Batches of a key in which a further job really costs that much.
void observe_batches(batch_cost& cost, double price, int count, std::uint64_t key = 1) {
  numbers random(3);
  for (int i = 0; i < count; ++i) {
    const double size = std::array{2, 3, 4, 8}[static_cast<std::size_t>(random.below(4))];
    cost.observe(key, size, (1 + price * (size - 1)) * static_cast<double>(90 + random.below(21)) / 100, at(i * 60));
  }
}

} // namespace

TEST_CASE("before anything is known a further job costs half, and a little less to decide by") {
  const batch_cost cost;
  CHECK(cost.expected_price(1, at(0)) == 0.5);
  CHECK(cost.price(1, at(0)) == Approx(0.5 - 0.25 / std::sqrt(3.0)));
  CHECK(batch_time(10s, 1, 0.5) == 10s);
  CHECK(batch_time(10s, 8, 0.5) == 45s);
  CHECK(batch_time(10s, 8, batch_cost::does_not_pay) == 80s);
}

TEST_CASE("prices are those of the reference implementation") {
  // Computed in Python from the same batches: after the index-th, the expected price of three keys and the one to decide by.
  struct expectation {
    int index;
    std::array<double, 3> expected, used;
  };
  const std::vector<expectation> all{{0, {0.627722096, 0.627722096, 0.664495164}, {0.520335455, 0.520335455, 0.557108523}},
                                     {1, {0.688199215, 0.688199215, 0.735771816}, {0.592805256, 0.592805256, 0.640377858}},
                                     {4, {0.728919658, 0.694825053, 0.801254844}, {0.648203191, 0.614108586, 0.720538378}},
                                     {9, {0.654648232, 0.626218422, 0.811002694}, {0.583736150, 0.555306341, 0.740090613}},
                                     {19, {0.175235637, 0.364067683, 0.612800531}, {0.130334044, 0.319166090, 0.567898939}},
                                     {39, {0.426454737, 0.430778739, 0.708466601}, {0.392721991, 0.397045993, 0.674733855}},
                                     {59, {0.301744000, 0.408427327, 0.720541462}, {0.269261049, 0.375944376, 0.688058511}}};
  batch_cost cost;
  numbers random(3);
  std::int64_t now = 0;
  auto next = all.begin();
  for (int i = 0; i < 60; ++i) {
    const auto key = static_cast<std::size_t>(random.below(3));
    const double size = std::array{2, 3, 4, 8}[static_cast<std::size_t>(random.below(4))];
    double ratio = (1 + std::array{0.1, 0.4, 0.95}[key] * (size - 1)) * static_cast<double>(85 + random.below(31)) / 100;
    if (random.below(30) == 0)
      ratio *= 5;
    now += random.below(4000);
    cost.observe(key, size, ratio, at(now));
    if (next == all.end() || i != next->index)
      continue;
    for (std::size_t k = 0; k < 3; ++k) {
      INFO("batch " << i << ", key " << k);
      CHECK(cost.expected_price(k, at(now)) == Approx(next->expected[k]).margin(1e-8).epsilon(0));
      CHECK(cost.price(k, at(now)) == Approx(next->used[k]).margin(1e-8).epsilon(0));
    }
    ++next;
  }
  CHECK(next == all.end());
}

TEST_CASE("what company really costs is known after a few batches") {
  for (const double truth : {0.1, 0.3, 0.5}) {
    batch_cost cost;
    observe_batches(cost, truth, 8);
    CHECK(cost.expected_price(1, at(480)) == Approx(truth).margin(0.1));
  }
}

TEST_CASE("a type whose batches save nothing stops batching, and tries again days later") {
  batch_cost cost;
  observe_batches(cost, 1.2, 30);
  CHECK(cost.price(1, at(1'800)) == batch_cost::does_not_pay);
  CHECK(cost.price(2, at(1'800)) == batch_cost::does_not_pay); // other keys of the type most likely do not either
  CHECK(cost.price(1, at(20 * 24 * 3600)) < 0.9);
}

TEST_CASE("a key has a price of its own") {
  batch_cost cost;
  observe_batches(cost, 0.1, 30, 1);
  observe_batches(cost, 0.8, 30, 2);
  CHECK(cost.price(1, at(1'800)) < 0.3);
  CHECK(cost.price(2, at(1'800)) > 0.5);
}

TEST_CASE("a batch of one tells nothing about company") {
  batch_cost cost;
  cost.observe(1, 1, 3, at(0));
  cost.observe(1, 0.5, 3, at(0));
  CHECK(cost.expected_price(1, at(0)) == 0.5);
}

TEST_CASE("batch costs read back go on as those that were written") {
  batch_cost kept;
  observe_batches(kept, 0.3, 20, 1);
  observe_batches(kept, 0.7, 5, 2);
  auto read = batch_cost::from_json(json::parse(kept.to_json().dump()));
  REQUIRE(read);
  CHECK(read->to_json().dump() == kept.to_json().dump());
  CHECK(read->price(1, at(9'999)) == kept.price(1, at(9'999)));
  for (const char* damaged :
       {"3", "{}", R"({"version":1,"type":[0,1,1,0],"keys":[[1]]})", R"({"version":1,"type":[0,-1,1,0],"keys":[]})"})
    CHECK(batch_cost::from_json(json::parse(damaged)).error().code == error_code::damaged);
  CHECK(batch_cost::from_json(json::parse(R"({"version":9})")).error().code == error_code::newer_version);
}

TEST_CASE("a type remembers a bounded number of keys") {
  batch_cost cost;
  for (std::uint64_t key = 0; key < limits::batch_keys_max + 10; ++key)
    cost.observe(key, 2, 1.1, at(0));
  CHECK(cost.to_json()["keys"].size() == limits::batch_keys_max);
}

TEST_CASE("loading times are estimated by what is loaded and where") {
  duration_estimator loads(duration_estimator::apart_loading);
  for (int i = 0; i < 5; ++i) {
    loads.observe(load_features(R"({"model":"small"})", "gpu0"), 5s, at(i * 600));
    loads.observe(load_features(R"({"model":"large"})", "gpu0"), 40s, at(i * 600 + 300));
  }
  CHECK(loads.predict(load_features(R"({"model":"small"})", "gpu0"), at(4'000))->median < 8s);
  CHECK(loads.predict(load_features(R"({"model":"large"})", ""), at(4'000))->median > 25s);
}

TEST_CASE("jobs that agree in what they load and in what must be equal have one batch key") {
  CHECK(batch_key({.warm = "{}", .exact = "[1]", .tolerated = {0.5}}) ==
        batch_key({.warm = "{}", .exact = "[1]", .tolerated = {}}));
  CHECK(batch_key({.warm = "{}", .exact = "[1]", .tolerated = {}}) != batch_key({.warm = "{}", .exact = "[2]", .tolerated = {}}));
  CHECK(batch_key({.warm = "a", .exact = "b", .tolerated = {}}) != batch_key({.warm = "", .exact = "ab", .tolerated = {}}));
}
