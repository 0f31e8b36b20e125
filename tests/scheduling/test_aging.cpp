#include "scheduling/aging.hpp"
#include "scheduling/job_queue.hpp"
#include "tests/support/seeds.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <map>
#include <random>

using namespace ferry;
using namespace ferry::scheduling;
using namespace std::chrono_literals;

namespace {

constexpr duration period = 1h;
const auto start = from_unix_ms(1'000'000);

queued_job job(std::int64_t id, int priority, instant since = start) {
  queued_job made{.id = {id}, .order_key = id * order_key_step, .priority = static_cast<std::uint8_t>(priority)};
  made.begin_to_wait(since);
  return made;
}

std::vector<std::int64_t> ids(const job_queue& queue) {
  std::vector<std::int64_t> all;
  for (const auto& j : queue.page(0, queue.size()))
    all.push_back(j.id.value);
  return all;
}

void age_fully(job_queue& queue, instant now) {
  while (queue.age(now, 100) > 0) {}
}

using id_list = std::vector<std::int64_t>;

} // namespace

TEST_CASE("a step is ten points for each period, and 100 is the most") {
  CHECK(effective_priority(50, 0) == 50);
  CHECK(effective_priority(50, 3) == 80);
  CHECK(effective_priority(95, 1) == 100);
  CHECK(effective_priority(0, 10) == 100);
  CHECK(aging_steps_to_top(0) == 10);
  CHECK(aging_steps_to_top(91) == 1);
  CHECK(aging_steps_to_top(100) == 0);
  CHECK(aging_steps(start, start + period - 1ms, period) == 0);
  CHECK(aging_steps(start, start + period, period) == 1);
  CHECK(aging_steps(start, start + 1000 * period, period) == aging_steps_max);
  CHECK(aging_steps(start, start + period, 0ms) == 0);
  CHECK(aging_steps(start + 1h, start, period) == 0); // a clock that was set back
}

TEST_CASE("a job that waits comes before later ones of a higher priority, in the order they were submitted") {
  job_queue queue(period);
  queue.add(job(1, 50));
  queue.add(job(2, 60, start + 30min));
  queue.add(job(3, 10));
  CHECK(ids(queue) == id_list{2, 1, 3});
  CHECK(queue.next_step() == start + period);
  CHECK(queue.age(start + period - 1ms, 9) == 0);
  CHECK(queue.age(start + period, 9) == 2);
  CHECK(queue.find({1})->effective() == 60);
  CHECK(queue.find({1})->priority == 50);
  CHECK(ids(queue) == id_list{1, 2, 3});
  CHECK(queue.next_step() == start + period + 30min);
  age_fully(queue, start + 100 * period);
  CHECK(ids(queue) == id_list{1, 2, 3});
  CHECK(queue.find({3})->effective() == 100);
  CHECK_FALSE(queue.next_step());
  CHECK(queue.check_invariants() == std::nullopt);
}

TEST_CASE("tiers are not crossed, and without a period nothing ages") {
  job_queue queue(period), off;
  auto low = job(1, 0), high = job(2, 0, start + 99 * period);
  high.tier = 1;
  queue.add(low);
  queue.add(high);
  age_fully(queue, start + 100 * period);
  CHECK(ids(queue) == id_list{2, 1});
  off.add(low);
  CHECK_FALSE(off.next_step());
  CHECK(off.age(start + 100 * period, 9) == 0);
}

TEST_CASE("only a job that may start ages, from when it could") {
  job_queue queue(period);
  auto held = job(1, 50);
  held.held = true;
  queue.add(held);
  queue.delay(job(2, 50), start + 5h);
  CHECK_FALSE(queue.next_step());
  CHECK(queue.release_due(start + 5h + 10min) == 1);
  CHECK(queue.next_step() == start + 6h); // since the moment it was due
  held.held = false;
  held.begin_to_wait(start + 90min);
  queue.replace(held);
  CHECK(queue.next_step() == start + 150min);
  age_fully(queue, start + 4h);
  CHECK(queue.find({1})->steps == 2);
}

TEST_CASE("a move within the effective priority holds, and another priority keeps what was gained") {
  job_queue queue(period);
  queue.add(job(1, 50));
  queue.add(job(2, 50));
  queue.add(job(3, 60, start + period));
  queue.add(job(4, 60, start + period));
  age_fully(queue, start + period);
  CHECK(ids(queue) == id_list{1, 2, 3, 4});
  const auto moved = queue.plan_move({4}, to_position{2}); // between two that were less important once
  REQUIRE(moved);
  for (const auto& changed : *moved)
    queue.replace(changed);
  CHECK(ids(queue) == id_list{1, 4, 2, 3});
  CHECK(queue.find({4})->priority == 60);
  age_fully(queue, start + 2 * period);
  CHECK(ids(queue) == id_list{1, 4, 2, 3});
  auto edited = *queue.find({2});
  edited.priority = 90;
  queue.replace(edited);
  CHECK(queue.find({2})->effective() == 100);
  CHECK(ids(queue) == id_list{2, 1, 4, 3});
  edited.priority = 0;
  queue.replace(edited);
  CHECK(queue.find({2})->effective() == 20);
  CHECK(queue.plan_move({2}, to_position{1}).error().what ==
        "position 1 is outside of priority 20 (which it has by waiting), which holds positions 4 to 4");
}

TEST_CASE("a queue that was restored from times has the order of one that aged step by step") {
  for (const auto seed : tests::seeds(40)) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const auto below = [&](std::size_t n) { return static_cast<std::int64_t>(random() % n); };
    job_queue aged(period);
    auto now = start;
    for (std::int64_t id = 1; id <= 200; ++id) {
      now += duration(below(20) * 60'000);
      if (below(4) == 0)
        age_fully(aged, now);
      auto made = job(id, static_cast<int>(below(11)) * 10, now);
      made.tier = below(5) == 0 ? 1 : 0;
      made.held = below(6) == 0;
      aged.add(made);
      if (below(5) == 0)
        aged.remove({1 + below(static_cast<std::size_t>(id))});
      if (auto changed = aged.find({1 + below(static_cast<std::size_t>(id))}); changed && below(3) == 0) {
        changed->held = !changed->held;
        changed->begin_to_wait(now);
        aged.replace(*changed);
      }
      REQUIRE(aged.check_invariants() == std::nullopt);
    }
    age_fully(aged, now);
    job_queue restored(period);
    for (auto one : aged.page(0, aged.size())) {
      one.steps = static_cast<std::uint8_t>(aging_steps(one.waits_since, now, period));
      restored.add(one);
    }
    // Held jobs have no order that counts.
    const auto may_start = aged.size() - aged.kept_back();
    auto a = ids(aged), b = ids(restored);
    a.resize(may_start), b.resize(may_start);
    REQUIRE(a == b);
    REQUIRE((!restored.next_step() || *restored.next_step() > now));
  }
}

namespace {

// One device under a stream of jobs that never ends, most of them more important: who starts when.
class crowded_day {
public:
  explicit crowded_day(std::uint64_t seed) : random_(seed) {}

  void play(int arrivals) {
    for (int n = 0; n < arrivals; ++n) {
      const auto arrival = now_ + duration(below(10) * 60'000);
      while (busy_until_ <= arrival && queue_.size() > 0)
        start_next();
      run_to(arrival);
      const auto priority = below(10) < 7 ? 90 + static_cast<int>(below(11)) : static_cast<int>(below(90));
      queue_.add(job(next_, priority, now_));
      takes_[next_] = duration(1 + below(11) * 60'000); // more work than the device can do
      arrived_[next_] = now_;
      watch(next_, priority);
      ++next_;
    }
    while (queue_.size() > 0)
      start_next();
  }

private:
  std::int64_t below(std::size_t n) { return static_cast<std::int64_t>(random_() % n); }

  void run_to(instant when) {
    // Each step at its time, so that the bound of a job is fixed in the moment in which it comes to the top.
    for (auto step = queue_.next_step(); step && *step <= when; step = queue_.next_step()) {
      now_ = std::max(now_, *step);
      std::vector<std::int64_t> before;
      queue_.age(*step, 1'000'000);
      for (const auto& one : queue_.page(0, queue_.size()))
        watch(one.id.value, one.priority);
    }
    now_ = std::max(now_, when);
  }

  // Once it is at the top: the latest time at which it may start.
  void watch(std::int64_t id, int priority) {
    if (latest_.contains(id) || queue_.find({id})->effective() < priority_max)
      return;
    REQUIRE(now_ <= arrived_.at(id) + aging_steps_to_top(priority) * period);
    auto latest = std::max(now_, busy_until_);
    const auto position = *queue_.position({id});
    for (const auto& other : queue_.page(0, queue_.size()))
      if (other.id.value != id && (*queue_.position(other.id) < position || other.id.value < id))
        latest += takes_.at(other.id.value);
    latest_[id] = latest;
  }

  void start_next() {
    run_to(std::max(now_, busy_until_));
    const auto first = queue_.page(0, 1).at(0);
    if (latest_.contains(first.id.value))
      REQUIRE(now_ <= latest_.at(first.id.value));
    queue_.remove(first.id);
    busy_until_ = now_ + takes_.at(first.id.value);
  }

  std::mt19937_64 random_;
  job_queue queue_{period};
  instant now_ = start, busy_until_ = start;
  std::int64_t next_ = 1;
  std::map<std::int64_t, duration> takes_;
  std::map<std::int64_t, instant> arrived_, latest_;
};

} // namespace

TEST_CASE("no stream of more important jobs starves a job: the bound of aging.hpp holds") {
  for (const auto seed : tests::seeds(20)) {
    CAPTURE(seed);
    crowded_day(seed).play(400);
  }
}
