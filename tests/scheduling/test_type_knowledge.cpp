#include "scheduling/type_knowledge.hpp"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>

using namespace ferry;
using namespace ferry::scheduling;
using namespace std::chrono_literals;
using Catch::Approx;

namespace {

instant at(std::int64_t seconds) { return from_unix_ms(seconds * 1000); }

job_features steps(double count) { return {.parameters = {{"steps", count}}, .hints = {}, .warm = "M", .user = {}, .device = {}}; }

completed_batch single(duration took, std::optional<duration> loading = {}) {
  return {.jobs = {{steps(30), {}}}, .key = 1, .took = took, .loading = loading, .warm = "M", .device = "gpu0"};
}

} // namespace

TEST_CASE("a job that ran alone tells its duration, and its loading apart from that") {
  type_knowledge known;
  CHECK_FALSE(known.load_time("M", "", at(0)));
  known.learn(single(10s, 25s), at(0));
  CHECK(known.durations.predict(steps(30), at(1))->median == 10s);
  CHECK(known.load_time("M", "gpu0", at(1))->median == 25s);
  known.learn(single(10s), at(60));
  CHECK(known.loads.observations() == 1);
  CHECK(known.durations.observations() == 2);
}

TEST_CASE("a batch that took as expected leaves estimates as they are, and one that took longer raises them a little") {
  type_knowledge known;
  for (int i = 0; i < 20; ++i)
    known.learn(single(10s), at(i * 60));
  const completed_batch as_expected{
      .jobs = {{steps(30), 10s}, {steps(30), 10s}}, .key = 1, .price = 0.5, .took = 15s, .loading = {}, .warm = "M", .device = ""};
  known.learn(as_expected, at(1'300));
  CHECK(std::chrono::abs(known.durations.predict(steps(30), at(1'300))->median - 10s) <= 10ms);
  CHECK(known.cost.expected_price(1, at(1'300)) == Approx(0.5));
  auto slow = as_expected;
  slow.took = 20s;
  known.learn(slow, at(1'400));
  CHECK(known.durations.predict(steps(30), at(1'400))->median > 10'001ms);
  CHECK(known.cost.expected_price(1, at(1'400)) > 0.5);
}

TEST_CASE("a batch before anything is known gives first estimates") {
  type_knowledge known;
  known.learn({.jobs = {{steps(30), {}}, {steps(30), {}}, {steps(30), {}}},
               .key = 1,
               .price = 0.5,
               .took = 20s,
               .loading = {},
               .warm = "M",
               .device = ""},
              at(0));
  CHECK(known.durations.predict(steps(30), at(1))->median == 10s);
}

TEST_CASE("knowledge read back is what was written, and damage is named") {
  type_knowledge kept;
  kept.learn(single(10s, 25s), at(0));
  kept.memory.used(1, 2, 4'000, at(0));
  kept.caps.ran_out_of_memory(1, 8, at(0));
  kept.cost.observe(1, 4, 2, at(0));
  const auto read = type_knowledge::from_json(json::parse(kept.to_json().dump()));
  REQUIRE(read);
  CHECK(read->to_json().dump() == kept.to_json().dump());
  for (const char* part : {"durations", "loads", "cost", "memory", "caps"}) {
    json stored = kept.to_json();
    stored[part] = 7;
    CAPTURE(part);
    CHECK(type_knowledge::from_json(stored).error().code == error_code::damaged);
  }
}

TEST_CASE("what warmth and company saved is counted, as measured") {
  type_knowledge known;
  known.learn(single(10s, 25s), at(0));
  known.learn(single(10s), at(60));
  CHECK(known.saved.loads == 1);
  CHECK(known.saved.warm_jobs == 1);
  CHECK(known.saved.warm_saved_ms == Approx(25'000));
  CHECK(known.saved.estimated == 1);
  CHECK(known.saved.within_20_percent == 1);
  known.learn({.jobs = {{steps(30), 10s}, {steps(30), 10s}, {steps(30), 10s}, {steps(30), 10s}},
               .key = 1,
               .price = 0.2,
               .took = 16s,
               .loading = {},
               .warm = "M",
               .device = ""},
              at(100));
  CHECK(known.saved.jobs == 6);
  CHECK(known.saved.batches == 3);
  CHECK(known.saved.shared_jobs == 4);
  CHECK(known.saved.shared_alone_ms == Approx(40'000).epsilon(0.01));
  CHECK(known.saved.shared_ms == Approx(16'000));
  CHECK(known.saved.warm_saved_ms == Approx(125'000).epsilon(0.01));
  const auto read = type_knowledge::from_json(json::parse(known.to_json().dump())).value();
  CHECK(read.saved.to_json() == known.saved.to_json());
  auto older = known.to_json();
  older.erase("saved"); // as it was stored before
  CHECK(type_knowledge::from_json(older)->saved.jobs == 0);
}

TEST_CASE("a job in parts counts once, by its last run and by what was expected of that") {
  type_knowledge known;
  for (int i = 0; i < 5; ++i)
    known.learn(single(10s), at(i * 60));
  const auto before = known.saved;
  const auto part = [](duration took, duration expected, bool goes_on) {
    completed_batch batch = single(took);
    batch.jobs.front().expected = expected;
    batch.jobs.front().is_part = true;
    batch.jobs.front().goes_on = goes_on;
    return batch;
  };
  known.learn(part(10s, 10s, true), at(400));
  CHECK(known.saved.jobs == before.jobs);
  CHECK(known.saved.batches == before.batches + 1);
  CHECK(known.saved.estimated == before.estimated);
  known.learn(part(2s, 2s, false), at(500)); // of a fifth of the items: as expected, though a full one takes 10 s
  CHECK(known.saved.jobs == before.jobs + 1);
  CHECK(known.saved.estimated == before.estimated + 1);
  CHECK(known.saved.within_20_percent == before.within_20_percent + 1);
  CHECK(known.saved.at_most_p90 == before.at_most_p90 + 1);
  CHECK(known.saved.relative_error_sum == Approx(before.relative_error_sum).margin(1e-9));
}
