#include "scheduling/duration_estimator.hpp"

#include <algorithm>
#include <array>
#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>

using namespace ferry;
using namespace ferry::scheduling;
using namespace std::chrono_literals;
using Catch::Approx;

namespace {

// Knuth's MMIX generator: the same numbers everywhere.
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

job_features sampling(double steps, const std::string& model, const std::string& user = "ann") {
  return {.parameters = {{"steps", steps}}, .hints = {}, .warm = model, .user = user, .device = {}};
}

std::int64_t median_ms(const duration_estimator& estimator, const job_features& job, std::int64_t now) {
  return estimator.predict(job, at(now)).value().median.count();
}

struct observed {
  job_features job;
  duration took;
  instant now;
};

// A synthetic service: two modes, steps, frames, five models, seven users; one job of forty takes fifteen times as long.
observed next_observed(numbers& random, std::int64_t& seconds) {
  const auto mode = random.below(2);
  const auto steps = std::array{10, 20, 30, 50}[static_cast<std::size_t>(random.below(4))];
  const auto frames = random.below(4), model = random.below(5), user = random.below(7), prompt = random.below(90);
  std::int64_t ms = 500 + steps * (40 + 13 * model) * (1 + frames) / 2;
  if (mode == 1)
    ms += ms / 3;
  ms = ms * (80 + random.below(41)) / 100;
  if (random.below(40) == 0)
    ms *= 15;
  seconds += random.below(90);
  return {{.parameters = {{"mode", std::string(mode == 0 ? "A" : "B")},
                          {"steps", static_cast<double>(steps)},
                          {"frames", static_cast<double>(frames)}},
           .hints = {{"prompt", static_cast<double>(prompt)}},
           .warm = "model " + std::to_string(model),
           .user = "user " + std::to_string(user),
           .device = {}},
          duration{ms},
          at(seconds)};
}

duration_estimator after_stream(int jobs) {
  duration_estimator estimator;
  numbers random(7);
  std::int64_t seconds = 0;
  for (int i = 0; i < jobs; ++i) {
    const auto [job, took, now] = next_observed(random, seconds);
    estimator.observe(job, took, now, i % 3 == 0 ? 0.5 : 1);
  }
  return estimator;
}

// Jobs of so many seconds, up to 10% more or less.
void observe_about(duration_estimator& estimator, double seconds, int from, int to) {
  numbers random(3);
  for (int i = from; i < to; ++i)
    estimator.observe(sampling(30, "M"), duration{std::llround(seconds * static_cast<double>(900 + random.below(201)))},
                      at(i * 60));
}

} // namespace

TEST_CASE("nothing is estimated before anything was observed") {
  duration_estimator estimator;
  CHECK_FALSE(estimator.predict(sampling(30, "M"), at(0)));
  estimator.observe(sampling(30, "M"), 20s, at(0));
  CHECK(median_ms(estimator, sampling(30, "M"), 1) == 20'000);
  CHECK(estimator.predict({}, at(1))); // also of a job of which nothing is known
}

TEST_CASE("estimates are those of the reference implementation") {
  // Computed in Python from the same stream: before the index-th job, median and 90th percentile in milliseconds, and spread. The
  // reference knows of effects alone: jobs that these do not explain have a test of their own.
  struct expectation {
    int index;
    double median, p90, spread;
  };
  const std::vector<expectation> expected{{1, 5028.0, 13609.946, 0.777952},     {2, 6672.344, 14983.548, 0.642049},
                                          {10, 2195.412, 5005.615, 0.679866},   {50, 2883.403, 6172.521, 0.634174},
                                          {250, 3595.555, 6654.876, 0.562338},  {500, 3418.766, 5052.161, 0.475796},
                                          {750, 4737.287, 5927.389, 0.42543},   {1000, 4024.062, 4793.732, 0.402519},
                                          {1250, 6211.914, 7317.374, 0.371552}, {1499, 1255.318, 1484.893, 0.374223}};
  duration_estimator estimator;
  numbers random(7);
  std::int64_t seconds = 0;
  auto next = expected.begin();
  for (int i = 0; i < 1500; ++i) {
    const auto [job, took, now] = next_observed(random, seconds);
    if (next != expected.end() && i == next->index) {
      const auto found = estimator.predict(job, now);
      REQUIRE(found);
      INFO("job " << i);
      CHECK(static_cast<double>(found->median.count()) == Approx(next->median).margin(0.6).epsilon(0));
      CHECK(static_cast<double>(found->p90.count()) == Approx(next->p90).margin(0.6).epsilon(0));
      CHECK(found->spread == Approx(next->spread).margin(1e-6).epsilon(0));
      ++next;
    }
    estimator.observe(job, took, now, i % 3 == 0 ? 0.5 : 1);
  }
  CHECK(next == expected.end());
}

TEST_CASE("the same observations give the same estimates (P7)") {
  CHECK(after_stream(400).to_json().dump() == after_stream(400).to_json().dump());
  CHECK(after_stream(400).to_json().dump() != after_stream(401).to_json().dump());
}

TEST_CASE("an estimator read back goes on as the one that was written") {
  auto kept = after_stream(600);
  auto read = duration_estimator::from_json(json::parse(kept.to_json().dump()));
  REQUIRE(read);
  CHECK(read->observations() == 600);
  CHECK(kept.to_json().dump() == read->to_json().dump());
  numbers random(11);
  std::int64_t seconds = 60'000;
  for (int i = 0; i < 200; ++i) {
    const auto [job, took, now] = next_observed(random, seconds);
    const auto a = kept.predict(job, now), b = read->predict(job, now);
    REQUIRE(a->median == b->median);
    REQUIRE(a->p90 == b->p90);
    REQUIRE(a->spread == b->spread);
    kept.observe(job, took, now);
    read->observe(job, took, now);
  }
  CHECK(kept.to_json().dump() == read->to_json().dump());
}

TEST_CASE("a damaged estimator is refused, saying what is wrong with it") {
  const auto refusal = [](const auto& damage) {
    json stored = json::parse(after_stream(20).to_json().dump());
    damage(stored);
    const auto read = duration_estimator::from_json(stored);
    return read ? std::string("it was read") : read.error().what;
  };
  CHECK(refusal([](json&) {}) == "it was read");
  CHECK(refusal([](json& stored) { stored = 3; }).ends_with("not an object with a version"));
  CHECK(refusal([](json& stored) { stored["version"] = 99; }).find("newer") != std::string::npos);
  CHECK(refusal([](json& stored) { stored["noise"] = "much"; }).ends_with("noise is no number"));
  CHECK(refusal([](json& stored) { stored["noise"] = -1; }).ends_with("its noise is negative"));
  CHECK(refusal([](json& stored) { stored.erase("effects"); }).find("missing") != std::string::npos);
  CHECK(refusal([](json& stored) { stored["effects"]["warm"][0][2] = -1; }).find("an effect of kind warm") != std::string::npos);
  CHECK(refusal([](json& stored) { stored["effects"]["slope"][0][3] = 0; }).find("an effect of kind slope") != std::string::npos);
  CHECK(refusal([](json& stored) { stored["scatters"][0] = json::array({1}); }).find("a scatter") != std::string::npos);
}

TEST_CASE("single jobs that take twenty times as long hardly move an estimate") {
  duration_estimator estimator;
  numbers random(5);
  std::vector<double> errors;
  for (int i = 0; i < 1000; ++i) {
    if (i >= 20)
      errors.push_back(std::abs(static_cast<double>(median_ms(estimator, sampling(30, "M"), i * 60)) / 10'000 - 1));
    const bool is_outlier = random.below(33) == 0;
    estimator.observe(sampling(30, "M"), duration{9'500 + random.below(1'001)} * (is_outlier ? 20 : 1), at(i * 60));
  }
  std::sort(errors.begin(), errors.end());
  CHECK(errors[errors.size() / 2] < 0.06);
  CHECK(errors.back() < 0.5);
}

TEST_CASE("jobs that all take longer from now on are believed after a few") {
  duration_estimator estimator;
  observe_about(estimator, 10, 0, 200);
  CHECK(median_ms(estimator, sampling(30, "M"), 200 * 60) < 11'000);
  observe_about(estimator, 30, 200, 206);
  CHECK(median_ms(estimator, sampling(30, "M"), 206 * 60) > 24'000);
  observe_about(estimator, 30, 206, 260);
  CHECK(median_ms(estimator, sampling(30, "M"), 260 * 60) > 27'000);
}

TEST_CASE("a first job that was slow is soon forgotten") {
  duration_estimator estimator;
  estimator.observe(sampling(30, "M"), 300s, at(0));
  observe_about(estimator, 10, 1, 7);
  CHECK(median_ms(estimator, sampling(30, "M"), 7 * 60) < 20'000);
}

TEST_CASE("jobs that differ by factors in a way nobody could know are told apart once each was seen a few times") {
  duration_estimator estimator;
  const auto job = [](const char* preset) {
    return job_features{.parameters = {{"preset", std::string(preset)}}, .hints = {}, .warm = {}, .user = {}, .device = {}};
  };
  const std::array presets{std::pair{"draft", 2s}, std::pair{"final", 60s}, std::pair{"proof", 11s}};
  for (int i = 0; i < 9; ++i)
    estimator.observe(job(presets[static_cast<std::size_t>(i) % 3].first), presets[static_cast<std::size_t>(i) % 3].second, at(i));
  for (const auto& [preset, took] : presets) {
    const auto median = estimator.predict(job(preset), at(100))->median;
    CAPTURE(preset, median.count());
    CHECK(median > took * 0.8);
    CHECK(median < took * 1.2);
  }
}

TEST_CASE("numbers that were never seen are estimated from larger and smaller ones") {
  duration_estimator estimator;
  numbers random(9);
  std::vector<double> errors;
  for (int i = 0; i < 600; ++i) {
    const auto steps = 5 + random.below(146), model = random.below(4);
    const auto truth = (2'000 + 300 * steps) * std::array{10, 14, 8, 20}[static_cast<std::size_t>(model)] / 10;
    const auto job = sampling(static_cast<double>(steps), std::to_string(model));
    if (i >= 50)
      errors.push_back(std::abs(static_cast<double>(median_ms(estimator, job, i * 60)) / static_cast<double>(truth) - 1));
    estimator.observe(job, duration{truth * (90 + random.below(21)) / 100}, at(i * 60));
  }
  std::sort(errors.begin(), errors.end());
  CHECK(errors[errors.size() / 2] < 0.12); // without slopes it is 0.35
}

TEST_CASE("a new model is estimated from all others, and by itself after two jobs") {
  duration_estimator estimator;
  for (int i = 0; i < 100; ++i)
    estimator.observe(sampling(30, "A"), 10s, at(i * 60));
  CHECK(median_ms(estimator, sampling(30, "B", "bob"), 6'000) == Approx(10'000).epsilon(0.05));
  for (int i = 0; i < 3; ++i)
    estimator.observe(sampling(30, "B", "bob"), 40s, at(6'000 + i * 60));
  CHECK(median_ms(estimator, sampling(30, "B", "bob"), 6'180) > 30'000);
  CHECK(median_ms(estimator, sampling(30, "A"), 6'180) < 15'000);
}

TEST_CASE("nine of ten jobs take at most the 90th percentile") {
  duration_estimator estimator;
  numbers random(7);
  std::int64_t seconds = 0;
  int below = 0;
  for (int i = 0; i < 3000; ++i) {
    const auto [job, took, now] = next_observed(random, seconds);
    if (i >= 1000 && took <= estimator.predict(job, now)->p90)
      ++below;
    estimator.observe(job, took, now);
  }
  CHECK(below > 1740); // 87%
  CHECK(below < 1860); // 93%
}

TEST_CASE("a part of an observation says nothing about how far jobs lie apart") {
  duration_estimator estimator;
  observe_about(estimator, 10, 0, 50);
  const auto before = estimator.predict(sampling(30, "M"), at(3'000));
  for (int i = 0; i < 50; ++i)
    estimator.observe(sampling(30, "M"), before->median, at(3'000), 0.5); // batches that took just what was expected
  const auto after = estimator.predict(sampling(30, "M"), at(3'000));
  CHECK(after->alike == before->alike);
  CHECK(static_cast<double>(after->p90.count()) == Approx(static_cast<double>(before->p90.count())).epsilon(0.04));
}

TEST_CASE("what is sure of an estimate grows with what was seen of jobs like it") {
  duration_estimator estimator;
  observe_about(estimator, 10, 0, 50);
  const auto known = estimator.predict(sampling(30, "M"), at(3'000)),
             unknown = estimator.predict(sampling(90, "N", "bob"), at(3'000));
  CHECK(known->spread < unknown->spread);
  CHECK(known->alike >= 49);
  CHECK(unknown->alike == 0);
  CHECK(known->p90 > known->median);
}

TEST_CASE("a job without a device is expected on the average one") {
  duration_estimator estimator;
  const auto on = [](const std::string& device) {
    auto job = sampling(30, "M");
    job.device = device;
    return job;
  };
  for (int i = 0; i < 200; ++i)
    estimator.observe(on(i % 2 == 0 ? "fast" : "slow"), i % 2 == 0 ? 10s : 20s, at(i * 60));
  CHECK(median_ms(estimator, on("fast"), 12'000) < 12'000);
  CHECK(median_ms(estimator, on("slow"), 12'000) > 17'000);
  CHECK(median_ms(estimator, on(""), 12'000) == Approx(14'142).epsilon(0.1));
  duration_estimator only_one;
  for (int i = 0; i < 200; ++i)
    only_one.observe(on("slow"), i < 100 ? 10s : 30s, at(i * 60));
  CHECK(median_ms(only_one, on(""), 12'000) == Approx(median_ms(only_one, on("slow"), 12'000)).epsilon(0.01));
}

TEST_CASE("what is remembered is bounded, and the least recently used goes") {
  duration_estimator estimator;
  for (int i = 0; i < static_cast<int>(limits::estimate_keys_max) + 500; ++i)
    estimator.observe(sampling(30 + i, "model " + std::to_string(i), "user " + std::to_string(i)), 10s, at(i));
  const json stored = estimator.to_json();
  for (const auto& [name, rows] : stored["effects"].items())
    CHECK(rows.size() <= limits::estimate_keys_max);
  CHECK(stored["effects"]["warm"].size() == limits::estimate_keys_max);
  CHECK(stored["scatters"].size() == limits::estimate_keys_max);

  recent_keys<int, 2> table;
  table.use(1, 10);
  table.use(2, 20);
  table.use(1);
  table.use(3, 30);
  CHECK(table.find(2) == nullptr);
  REQUIRE(table.find(1));
  CHECK(*table.find(1) == 10);
  CHECK(table.size() == 2);
}

TEST_CASE("values beyond all reason give estimates within bounds") {
  duration_estimator estimator;
  estimator.observe(sampling(1e-300, "M"), 0s, at(0));
  estimator.observe(sampling(1e300, "M"), std::chrono::hours(24 * 365 * 200), at(-5));
  for (const double steps : {-1.0, 0.0, 1e-300, 1.0, 1e300}) {
    const auto found = estimator.predict(sampling(steps, "M"), at(10));
    REQUIRE(found);
    CHECK(found->median >= 1ms);
    CHECK(found->p90 <= std::chrono::seconds(limits::run_seconds_max));
    CHECK(found->median <= found->p90);
  }
  duration_estimator endless;
  endless.observe({}, std::chrono::hours(24 * 365 * 200), at(0));
  CHECK(endless.predict({}, at(0))->median == std::chrono::seconds(limits::run_seconds_max));
}

TEST_CASE("features are the parameters that the rules name") {
  const config::estimate_rules rules{.parameters = {"steps", "size.width", "frames", "mode", "draft", "missing"},
                                     .hints = {"prompt"}};
  const json params = json::parse(
      R"({"steps": 30, "size": {"width": 512}, "frames": [1, 2, 3], "mode": "fast", "draft": true, "prompt": "a cat", "other": 1})");
  const auto job = features_of(rules, params, "{}", "ann", "gpu0");
  REQUIRE(job.parameters.size() == 6);
  CHECK(std::get<double>(job.parameters[0].value) == 30);
  CHECK(std::get<double>(job.parameters[1].value) == 512);
  CHECK(std::get<double>(job.parameters[2].value) == 3);
  CHECK(std::get<std::string>(job.parameters[3].value) == "fast");
  CHECK(std::get<std::string>(job.parameters[4].value) == "true");
  CHECK(std::get<std::string>(job.parameters[5].value) == "null");
  CHECK(std::get<std::string>(job.hints.at(0).value) == "a cat");
  CHECK(job.warm.empty());
  CHECK(features_of(rules, params, R"({"model":"M"})", "").warm == R"({"model":"M"})");
}
