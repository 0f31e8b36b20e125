// What will start when, and what is promised of it.
#include "scheduling/forecast.hpp"
#include "scheduling/obstacles.hpp"
#include "scheduling/promise_book.hpp"
#include "scheduling/queued_estimates.hpp"
#include "scheduling/simulator.hpp"
#include "scheduling/step_rate.hpp"
#include "tests/support/seeds.hpp"

#include <catch2/catch_test_macros.hpp>
#include <random>

using namespace ferry;
using namespace ferry::scheduling;
using namespace std::chrono_literals;

namespace {

instant at(std::int64_t seconds) { return from_unix_ms(seconds * 1000); }

device gpu(const std::string& id, int slots = 1, std::int64_t memory_mib = 8'000) {
  return {.id = id, .kind = device_kind::gpu, .name = "", .slots = slots, .memory_mib = memory_mib};
}

// Jobs of one type that runs in processes, on these devices.
struct scene {
  std::vector<config::job_type> types{1};
  queue_picture picture;

  explicit scene(std::vector<device> devices) {
    types[0].name = "draw";
    types[0].estimate.parameters = {"steps"};
    picture.now = at(1'000);
    picture.devices = device_ledger(std::move(devices));
    picture.groups[0] = {};
  }
  queued_job add(std::int64_t id, duration takes, int spread = 0) {
    queued_job job{.id = {id}, .order_key = id, .estimate_ms = static_cast<std::uint32_t>(takes.count())};
    job.estimate_spread = static_cast<std::uint8_t>(spread);
    picture.in_order.push_back(job);
    return job;
  }
  void run(std::int64_t batch, const std::string& device, std::vector<job_id> jobs, std::optional<expected_end> ends,
           std::int64_t memory_mib = 0) {
    picture.devices.grant({batch}, {.device = device, .memory_mib = memory_mib, .since = picture.now});
    picture.running[{batch}] = {.jobs = std::move(jobs), .named = {}, .ends = ends};
  }
  [[nodiscard]] forecast seen() {
    picture.types = types;
    return foresee(picture);
  }
};

// Jobs that all arrive at once, of models and steps by chance, on devices that hold one model each.
simulation rush(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto up_to = [&](int most) { return static_cast<int>(random() % static_cast<unsigned>(most)); };
  simulation day;
  config::job_type type;
  type.name = "draw";
  type.runner = config::runner_kind::worker;
  type.device = config::device_choice::gpu;
  type.memory_mib = 1;
  type.worker.warm_key = {"model"};
  type.worker.keep_alive = std::chrono::seconds(10 + up_to(1'000));
  type.batch.max_items = 1 + up_to(6);
  type.batch.same = {"steps"};
  type.estimate.parameters = {"steps"};
  day.types = {type, type};
  day.types[1].name = "train";
  day.types[1].tier = up_to(2);
  const int devices = 1 + up_to(3);
  for (int i = 0; i < devices; ++i)
    day.devices.push_back(gpu("gpu" + std::to_string(i), 1, 1));
  day.load = std::chrono::seconds(up_to(40));
  day.price = up_to(10) / 10.0;
  day.policy = simulated_policy::known;
  const int jobs = 2 + up_to(60);
  for (int i = 0; i < jobs; ++i)
    day.jobs.push_back({.arrival = at(0),
                        .took = duration{1'000 + up_to(60'000)},
                        .type = static_cast<type_index>(up_to(2)),
                        .params = {{"model", up_to(4)}, {"steps", 10 * up_to(3)}},
                        .priority = 40 + 10 * up_to(3)});
  return day;
}

} // namespace

TEST_CASE("where durations are known and nobody comes in between, jobs start exactly as foreseen") {
  for (const auto seed : tests::seeds(400)) {
    CAPTURE(seed);
    const auto day = rush(seed);
    const auto played = play(day).value();
    std::size_t promised = 0;
    for (const auto& job : played.jobs) {
      const instant started = played.runs[job.run].starts;
      if (!job.promised) { // it did not have to wait
        CHECK(started == at(0));
        continue;
      }
      ++promised;
      CHECK(job.promised->start == started);
      CHECK(job.promised->late >= started);
    }
    CHECK(promised + day.devices.size() * 6 >= day.jobs.size());
  }
}

TEST_CASE("jobs wait for what runs, one after the other on each device") {
  scene s({gpu("a"), gpu("b")});
  s.run(1, "a", {{90}}, expected_end{at(1'010)});
  s.run(2, "b", {{91}}, expected_end{at(1'003)});
  s.add(1, 20s);
  s.add(2, 5s);
  s.add(3, 1s);
  const auto seen = s.seen();
  CHECK(seen.find({1})->starts == at(1'003));
  CHECK(seen.find({2})->starts == at(1'010));
  CHECK(seen.find({3})->starts == at(1'015));
  CHECK(seen.find({3})->device == 0);
  CHECK(seen.find({90}) == nullptr);
  CHECK(seen.runs.size() == 3);
}

TEST_CASE("what comes after something that was never measured is unknown, on that device") {
  scene s({gpu("a"), gpu("b")});
  s.run(1, "a", {{90}}, std::nullopt);
  s.run(2, "b", {{91}}, expected_end{at(1'003)});
  s.add(1, 20s);
  s.add(2, 20s);
  s.add(3, 20s);
  auto seen = s.seen();
  CHECK(seen.find({1})->is_known);
  CHECK(seen.find({2})->is_known); // on b again, long before a is thought to be free
  CHECK(promise_book().expect(seen, {1}));
  s.picture.in_order[0].estimate_ms = 0;
  seen = s.seen();
  CHECK(seen.find({1})->is_known);
  CHECK_FALSE(seen.find({1})->has_estimate);
  CHECK_FALSE(seen.find({3})->is_known);
  CHECK_FALSE(promise_book().expect(seen, {3}));
}

TEST_CASE("a batch that is over but has not given its device back is no longer waited for") {
  scene s({gpu("a")});
  s.picture.devices.grant({5}, {.device = "a"});
  s.add(1, 20s);
  CHECK(s.seen().find({1})->starts <= at(1'001));
}

TEST_CASE("delayed jobs start no earlier than they may") {
  scene s({gpu("a")});
  const auto late = s.add(1, 5s);
  s.picture.in_order.clear();
  s.picture.delayed.emplace_back(late, at(2'000));
  s.add(2, 10s);
  const auto seen = s.seen();
  CHECK(seen.find({2})->starts == at(1'000));
  CHECK(seen.find({1})->starts == at(2'000));
}

TEST_CASE("jobs that need others are foreseen to start after these, those that need what nobody runs are not") {
  scene s({gpu("a"), gpu("b")});
  s.run(1, "a", {{90}}, expected_end{at(1'010)});
  s.add(1, 50s);
  auto after_both = s.add(2, 5s), after_that = s.add(3, 5s), never = s.add(4, 5s);
  s.picture.in_order.resize(1);
  for (auto* job : {&after_both, &after_that, &never})
    job->blocked = true;
  s.picture.blocked = {{after_both, {{1}, {90}}}, {after_that, {{2}}}, {never, {{77}}}};
  const auto seen = s.seen();
  CHECK(seen.find({1})->starts == at(1'000));
  CHECK(seen.find({2})->starts == at(1'050));
  CHECK(seen.find({3})->starts == at(1'055));
  CHECK(seen.find({4}) == nullptr);
}

TEST_CASE("a group that runs as many jobs as it may keeps the others of it waiting, and nobody else") {
  scene s({gpu("a", 4)});
  const auto night = s.picture.named.find_or_add("night").value();
  s.picture.named.set(night, {.parallel = 1});
  for (int i = 1; i <= 3; ++i) {
    s.add(i, 10s);
    s.picture.in_order.back().named_group = i < 3 ? night : named_group_index{0};
  }
  const auto seen = s.seen();
  CHECK(seen.find({1})->starts == at(1'000));
  CHECK(seen.find({2})->starts == at(1'010));
  CHECK(seen.find({3})->starts == at(1'000));
}

TEST_CASE("a job that gains priority while it waits is foreseen to come first then") {
  scene s({gpu("a")});
  s.picture.aging = 100s;
  auto old = s.add(1, 10s);
  for (int i = 2; i <= 40; ++i) {
    s.add(i, 10s);
    s.picture.in_order.back().priority = 55;
    s.picture.in_order.back().waits_since = at(990);
  }
  s.picture.in_order[0].waits_since = at(950); // a step at 1,050: 60; the others have theirs 40 s later
  s.picture.in_order[0].priority = 50;
  std::sort(s.picture.in_order.begin(), s.picture.in_order.end(), comes_before);
  CHECK(s.seen().find({old.id})->starts == at(1'050));
}

TEST_CASE("the further away a start is, the more it is in doubt") {
  scene s({gpu("a")});
  for (int i = 1; i <= 20; ++i)
    s.add(i, 10s, 30);
  const auto seen = s.seen();
  for (int i = 2; i <= 20; ++i)
    CHECK(seen.find({i})->doubt > seen.find({i - 1})->doubt);
  CHECK(seen.find({1})->doubt == 0s);
  const auto last = promise_book().expect(seen, {20});
  CHECK(last->late > last->start + 10s);
  CHECK(last->start > at(1'000) + 190s); // a sum of runs lies near the sum of their means
}

TEST_CASE("another order gives other starts") {
  scene s({gpu("a")});
  for (int i = 1; i <= 3; ++i)
    s.add(i, 10s);
  auto third = s.picture.in_order[2];
  third.priority = 90;
  reorder(s.picture, {third});
  CHECK(s.picture.in_order[0].id == job_id{3});
  const auto seen = s.seen();
  CHECK(seen.find({3})->starts == at(1'000));
  CHECK(seen.find({2})->starts == at(1'020));
}

TEST_CASE("a forecast goes no further than it is asked to") {
  scene s({gpu("a")});
  for (int i = 1; i <= 9; ++i)
    s.add(i, 10s);
  s.picture.types = s.types;
  CHECK(foresee(s.picture, job_id{4}).runs.size() == 4);
}

TEST_CASE("what keeps a job from each device is said with numbers, and until when") {
  scene s({gpu("a"), gpu("b", 2, 24'576), gpu("c"), gpu("d", 1, 100)});
  s.types[0].memory_mib = 20'480;
  s.types[0].device = config::device_choice::gpu;
  s.run(17, "b", {{70}, {71}}, expected_end{at(1'300)}, 16'384);
  s.run(18, "b", {{72}}, expected_end{at(1'100)}, 1'000);
  s.picture.devices.set_out_of_service("c", "it fell off the bus");
  const auto job = s.add(1, 10s);
  s.picture.types = s.types;
  auto all = find_obstacles(job, s.picture);
  REQUIRE(all.size() == 4);
  CHECK(all[0].why == "needs 20480 MiB; it has 8000 MiB");
  CHECK(all[1].why == "needs 1 slot; 0 of 2 are free");
  CHECK(all[1].until == at(1'300)); // one slot is free sooner, the memory is not
  CHECK(all[1].jobs == std::vector<job_id>{{72}, {70}, {71}});
  CHECK(all[2].why == "needs 20480 MiB; it has 8000 MiB");
  s.types[0].memory_mib = 4'000;
  all = find_obstacles(job, s.picture);
  CHECK(all[0].why == "there is room: it is about to start, or waits for a busy worker that has its model");
  CHECK(all[1].until == at(1'100));
  CHECK(all[2].why == "it is out of service: it fell off the bus");
  const auto second = s.add(2, 10s);
  s.picture.types = s.types;
  CHECK(find_obstacles(second, s.picture)[0].why == "there is room, for job 1 before it");
}

// ---- promises ---------------------------------------------------------------------------------------------------------------

namespace {

forecast saying(std::int64_t job, instant made, instant start) {
  forecast seen{.made = made, .runs = {}, .run_of = {}};
  seen.runs.push_back({.starts = start, .ends = start + 10s, .doubt = 10s, .jobs = {{job}}});
  seen.run_of.emplace(job_id{job}, 0);
  return seen;
}

} // namespace

TEST_CASE("the first forecast of a job is its promise, which is held against what came") {
  promise_book book;
  book.make(saying(1, at(0), at(100)), {1});
  book.make(saying(1, at(50), at(300)), {1});
  CHECK(book.find({1})->start == at(100));
  CHECK(book.settle({1}, at(110)));
  CHECK_FALSE(book.settle({1}, at(110)));
  book.make(saying(2, at(0), at(100)), {2});
  book.settle({2}, at(500));
  book.make(saying(3, at(0), at(10)), {3});
  book.settle({3}, at(11));
  book.make(saying(4, at(0), at(10)), {4});
  book.forget_all();
  CHECK_FALSE(book.settle({4}, at(11)));
  const auto& t = book.tallies();
  CHECK(t[0].promises == 1);
  CHECK(t[1].promises == 2);
  CHECK(t[1].within_20_percent == 1);
  CHECK(t[1].in_time == 1);
  CHECK(t[2].promises == 0);
  const auto read = promise_book::from_json(json::parse(book.to_json().dump())).value();
  CHECK(read.to_json() == book.to_json());
  CHECK_FALSE(promise_book::from_json(json::array()));
}

TEST_CASE("promises that come late by the same share each time are made longer, and nine of ten are kept in time") {
  promise_book book;
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> share(1.1, 1.5);
  for (int i = 1; i <= 4'000; ++i) {
    book.make(saying(i, at(0), at(100)), {i});
    book.settle({i}, at(0) + duration{static_cast<std::int64_t>(100'000 * share(random))});
  }
  book.make(saying(9'999, at(0), at(100)), {9'999});
  const auto told = *book.find({9'999});
  CHECK(told.start > at(120));
  CHECK(told.start < at(140));
  CHECK(told.late > at(140));
  CHECK(told.late < at(160));
}

// ---- estimates of jobs that wait --------------------------------------------------------------------------------------------

TEST_CASE("what is learnt while a job waits counts for it") {
  queued_estimates estimates;
  duration_estimator known;
  const job_features features{.parameters = {{"steps", 30.0}}, .hints = {}, .warm = "M", .user = {}, .device = {}};
  queued_job job{.id = {1}};
  estimates.enter(job, features, known, at(0));
  CHECK(job.estimate_ms == 0);
  known.observe(features, 10s, at(1));
  auto copy = job;
  estimates.refresh(copy, known, at(2));
  CHECK(copy.estimate_ms == 10'000);
  queued_job other{.id = {2}, .estimate_ms = 5};
  estimates.refresh(other, known, at(2)); // never entered: it keeps what it has
  CHECK(other.estimate_ms == 5);
}

// ---- steps ------------------------------------------------------------------------------------------------------------------

TEST_CASE("a job that tells its steps is done when they are, at the rate they go") {
  step_rate rate;
  CHECK_FALSE(rate.left(at(0)));
  rate.observe({.step = 0, .total = 100}, at(100));
  rate.observe({.step = 1, .total = 100}, at(101));
  CHECK_FALSE(rate.left(at(101))); // too early to tell
  rate.observe({.step = 20, .total = 100}, at(120));
  CHECK(rate.left(at(120)) == 80s);
  CHECK(rate.left(at(130)) == 70s);
  CHECK(rate.left(at(900)) == 0s);
  rate.observe({.fraction = 0.1}, at(200)); // it began anew
  CHECK_FALSE(rate.left(at(200)));
  rate.observe({.message = "no number"}, at(210));
  rate.observe({.fraction = 0.6}, at(250));
  CHECK(rate.left(at(250)) == 40s);
}
