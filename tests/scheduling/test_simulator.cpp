#include "scheduling/simulation_summary.hpp"
#include "scheduling/simulator.hpp"
#include "tests/support/seeds.hpp"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <random>

using namespace ferry;
using namespace ferry::scheduling;
using namespace std::chrono_literals;
using Catch::Approx;

namespace {

// Devices that hold one model each; jobs of a model and so many steps share batches of up to four.
simulation day_on(int devices) {
  simulation day;
  config::job_type type;
  type.name = "draw";
  type.runner = config::runner_kind::worker;
  type.device = config::device_choice::gpu;
  type.memory_mib = 1;
  type.worker.warm_key = {"model"};
  type.worker.keep_alive = std::chrono::hours(1'000);
  type.batch.max_items = 4;
  type.batch.same = {"steps"};
  type.estimate.parameters = {"steps"};
  day.types = {type};
  for (int i = 0; i < devices; ++i)
    day.devices.push_back({.id = "gpu" + std::to_string(i), .kind = device_kind::gpu, .name = "", .slots = 1, .memory_mib = 1});
  day.load = 20s;
  return day;
}

void add(simulation& day, int seconds, const std::string& model, duration took, int steps = 30) {
  day.jobs.push_back({.arrival = from_unix_ms(1000LL * seconds), .took = took, .params = {{"model", model}, {"steps", steps}}});
}

std::int64_t seconds(instant t) { return to_unix_ms(t) / 1000; }

} // namespace

TEST_CASE("a job loads its model, then works for as long as it is recorded to have taken") {
  auto day = day_on(1);
  add(day, 100, "A", 10s);
  add(day, 200, "A", 7s);
  const auto played = play(day).value();
  REQUIRE(played.runs.size() == 2);
  CHECK(seconds(played.runs[0].starts) == 100);
  CHECK(seconds(played.runs[0].works) == 120);
  CHECK(seconds(played.runs[0].ends) == 130);
  CHECK(played.runs[0].loads);
  CHECK(seconds(played.runs[1].ends) == 207);
  CHECK_FALSE(played.runs[1].loads);
  CHECK_FALSE(played.jobs[0].expected);
  CHECK(played.jobs[1].expected->median == 10s);
}

TEST_CASE("jobs of one key that wait together run together, at the price of company") {
  auto day = day_on(1);
  day.policy = simulated_policy::known;
  add(day, 0, "A", 10s);
  for (int i = 1; i <= 3; ++i)
    add(day, i, "A", 10s);
  add(day, 4, "A", 10s, 50); // not the same steps
  const auto played = play(day).value();
  REQUIRE(played.runs.size() == 3);
  CHECK(played.runs[1].jobs == std::vector<std::size_t>{1, 2, 3});
  CHECK(played.runs[1].ends - played.runs[1].works == 20s); // 10 · (1 + 0.5 · 2)
  CHECK(played.runs[2].jobs == std::vector<std::size_t>{4});
}

TEST_CASE("the known policy knows how long jobs take before any has ended") {
  auto day = day_on(1);
  day.policy = simulated_policy::known;
  add(day, 0, "A", 10s);
  for (const auto took : {10s, 1'000s, 10s})
    add(day, 1, "A", took);
  const auto played = play(day).value();
  CHECK(played.runs[1].jobs == std::vector<std::size_t>{1, 3}); // the long one would cost them more than it saves
  day.policy = simulated_policy::learned;                       // ten seconds, as far as it has seen
  CHECK(play(day).value().runs[1].jobs == std::vector<std::size_t>{1, 2, 3});
}

TEST_CASE("a job that waits for a busy worker loads elsewhere once that takes too long") {
  auto day = day_on(2);
  add(day, 0, "A", 10s);
  add(day, 100, "A", 10s);
  add(day, 200, "A", 500s); // ten are expected
  add(day, 201, "A", 10s);
  const auto played = play(day).value();
  REQUIRE(played.runs.size() == 4);
  CHECK(played.runs[3].loads);
  CHECK(played.runs[3].device != played.runs[2].device);
  CHECK(seconds(played.runs[3].starts) > 210);
  CHECK(seconds(played.runs[3].starts) < 250); // it looks again after 1, 2, 4 … seconds
}

TEST_CASE("fifo serves one after the other, on the device that has been idle longest") {
  auto day = day_on(2);
  day.policy = simulated_policy::fifo;
  for (const int at : {0, 100, 200, 300})
    add(day, at, "A", 10s);
  const auto played = play(day).value();
  REQUIRE(played.runs.size() == 4);
  for (std::size_t i = 0; i < 4; ++i)
    CHECK(played.runs[i].device == i % 2);
  CHECK(summarize(day, played).loads == 2);
}

TEST_CASE("a worker that nobody wants is ended after keep_alive, and its model is loaded again") {
  auto day = day_on(1);
  day.types[0].worker.keep_alive = 60s;
  add(day, 0, "A", 10s);
  add(day, 80, "A", 10s);
  add(day, 200, "A", 10s);
  const auto played = play(day).value();
  CHECK_FALSE(played.runs[1].loads);
  CHECK(played.runs[2].loads);
}

TEST_CASE("a type without workers loads with each run") {
  auto day = day_on(1);
  day.types[0].runner = config::runner_kind::process;
  day.types[0].batch.max_items = 1;
  for (const int at : {0, 100, 200})
    add(day, at, "A", 10s);
  const auto played = play(day).value();
  const auto summary = summarize(day, played);
  CHECK(summary.loads == 3);
  CHECK(played.jobs[1].expected->median == 30s); // loading is a part of what it takes
  CHECK(summary.estimates.median == Approx(0).margin(1e-9));
}

TEST_CASE("the summary is that of the schedule") {
  auto day = day_on(1);
  day.policy = simulated_policy::fifo;
  add(day, 0, "A", 10s);  // waits 20, ends 30
  add(day, 5, "B", 10s);  // starts 30, waits 45, ends 60
  add(day, 10, "B", 20s); // starts 60, waits 50, ends 80
  const auto found = summarize(day, play(day).value());
  CHECK(found.jobs == 3);
  CHECK(found.runs == 3);
  CHECK(found.loads == 2);
  CHECK(found.wait.mean == 38333ms);
  CHECK(found.completion.median == 55s);
  CHECK(found.completion.worst == 70s);
  CHECK(found.lasted == 80s);
  CHECK(found.working == Approx(0.5));
  CHECK(found.loading == Approx(0.5));
  CHECK(found.overtakings == 0);
  CHECK(found.estimates.estimated == 0); // nothing had ended when they came
}

TEST_CASE("nineteen of twenty times are at most the 95th percentile") {
  auto day = day_on(1);
  day.policy = simulated_policy::fifo;
  day.load = 0s;
  for (int i = 0; i < 100; ++i)
    add(day, 0, "A", 1s);
  const auto found = summarize(day, play(day).value());
  CHECK(found.completion.p95 == 96s);
  CHECK(found.completion.median == 51s);
  CHECK(found.completion.worst == 100s);
}

TEST_CASE("overtaking is found in a schedule, and by how much") {
  auto day = day_on(1);
  for (const int at : {0, 30, 100})
    add(day, at, "A", 10s);
  schedule played;
  const auto run = [&](std::vector<std::size_t> jobs) {
    for (const std::size_t job : jobs)
      played.jobs[job].run = played.runs.size();
    played.runs.push_back({.jobs = std::move(jobs)});
  };
  played.jobs.resize(3);
  SECTION("one in front waits") {
    run({0});
    run({2});
    run({1});
    CHECK(summarize(day, played).overtaken_by == 70s);
    CHECK(summarize(day, played).overtakings == 1);
  }
  SECTION("company does not count") {
    run({0, 2});
    run({1});
    CHECK(summarize(day, played).overtaken_by == 0s);
  }
  SECTION("nor does a job of higher priority") {
    day.jobs[2].priority = 90;
    run({2});
    run({0});
    run({1});
    CHECK(summarize(day, played).overtaken_by == 0s);
  }
}

TEST_CASE("a day that cannot be played is refused") {
  auto day = day_on(1);
  add(day, 10, "A", 10s);
  add(day, 5, "A", 10s);
  CHECK(play(day).error().what.find("order of their arrival") != std::string::npos);
  day.jobs.pop_back();
  day.types[0].memory_mib = 9;
  CHECK(play(day).error().what.find("could never run") != std::string::npos);
}

TEST_CASE("a day without jobs is over at once") {
  const auto day = day_on(1);
  const auto played = play(day).value();
  CHECK(played.runs.empty());
  CHECK(summarize(day, played).jobs == 0);
}

TEST_CASE("P7: of any day every job runs once, nobody is passed beyond the bound, and the same day gives the same schedule") {
  for (const auto seed : tests::seeds(60)) {
    CAPTURE(seed);
    std::mt19937 random(static_cast<std::mt19937::result_type>(seed));
    const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
    auto day = day_on(1 + below(3));
    day.policy = static_cast<simulated_policy>(below(3));
    day.price = below(12) / 10.0;
    int now = 0;
    for (int i = 0; i < 150; ++i)
      add(day, now += below(15), std::string(1, static_cast<char>('A' + below(4))), std::chrono::seconds(1 + below(40)),
          10 * below(3));
    const auto played = play(day).value(), again = play(day).value();
    std::vector<int> times(day.jobs.size());
    std::vector<instant> free(day.devices.size());
    REQUIRE(played.runs.size() == again.runs.size());
    for (std::size_t i = 0; i < played.runs.size(); ++i) {
      const auto& run = played.runs[i];
      REQUIRE(run.jobs == again.runs[i].jobs);
      REQUIRE(run.starts == again.runs[i].starts);
      REQUIRE(run.starts >= free[run.device]); // one slot a device
      free[run.device] = run.ends;
      for (const std::size_t job : run.jobs) {
        ++times[job];
        REQUIRE(run.starts >= day.jobs[job].arrival);
        REQUIRE(run.ends - run.works >= day.jobs[job].took);
      }
    }
    REQUIRE(std::all_of(times.begin(), times.end(), [](int n) { return n == 1; }));
    REQUIRE(summarize(day, played).overtaken_by <= day.types[0].batch.overtaking);
  }
}
