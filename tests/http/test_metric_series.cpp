// Series of a job's numbers: where their times come from, how they are thinned, and how much is read.
#include "config/limits.hpp"
#include "http/metric_series.hpp"
#include "tests/support/scratch_folder.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <fstream>
#include <sys/stat.h>

using namespace ferry;
using namespace ferry::http;
using ferry::tests::scratch_folder;

namespace {

std::string event(std::int64_t at, const json& more) {
  json line{{"type", "progress"}, {"at", at}};
  line.update(more);
  return line.dump();
}

std::string report(const json& more) {
  json line{{"type", "progress"}};
  line.update(more);
  return line.dump();
}

json points_of(const metric_series& series, const std::string& name) {
  const json told = series.to_json(true);
  for (const json& one : told["series"])
    if (one["name"] == name)
      return one["points"];
  return nullptr;
}

} // namespace

TEST_CASE("points lie evenly among all that came, with the first and the last one") {
  for (const std::size_t count : {0U, 1U, 9U, 10U, 11U, 19U, 20U, 21U, 40U, 1'000U, 12'345U}) {
    CAPTURE(count);
    thinned_points points(10);
    for (std::size_t i = 0; i < count; ++i)
      points.add({static_cast<std::int64_t>(i), 0, {}});
    const auto some = points.take();
    CHECK(some.size() == std::min<std::size_t>(count, 10));
    if (count == 0)
      continue;
    CHECK(some.front().step == 0);
    CHECK(some.back().step == static_cast<std::int64_t>(count - 1));
    const auto even = static_cast<double>(count) / static_cast<double>(some.size());
    for (std::size_t i = 1; i < some.size(); ++i) {
      CHECK(*some[i].step > *some[i - 1].step);
      CHECK(static_cast<double>(*some[i].step - *some[i - 1].step) <= 2.5 * even + 1);
    }
  }
  thinned_points one(1);
  for (int i = 0; i < 100; ++i)
    one.add({i, 0, {}});
  REQUIRE(one.take().size() == 1);
  CHECK(one.take()[0].step == 99);
}

TEST_CASE("what the run's events tell has times, and what is no number is null") {
  metric_series series(job_id{42}, 100);
  series.take_event(R"({"type":"started","at":1000,"pid":7})");
  series.take_event(event(2'500, {{"step", 1}, {"job", 42}, {"metrics", {{"loss", 0.5}, {"lr", 1e-4}}}}));
  series.take_event(event(3'000, {{"job", 41}, {"metrics", {{"loss", 9.0}}}}));
  series.take_event(event(4'000, {{"metrics", {{"loss", "nan"}}}}));
  series.take_event(event(5'000, {{"step", 3}, {"message", "no metrics"}}));
  series.take_event(event(6'000, {{"step", 4}, {"metrics", {{"loss", "-inf"}, {"text", "x"}}}}));
  for (const char* broken : {"", "{", "[]", "null", R"({"type":"progress"})",
                             R"({"type":"progress","at":"x","metrics":{"loss":1}})", R"({"type":7,"progress":1})"})
    series.take_event(broken);
  CHECK(points_of(series, "loss") == json::parse("[[1,0.5,1.5],[null,null,3.0],[4,null,5.0]]"));
  CHECK(points_of(series, "lr") == json::parse("[[1,1e-4,1.5]]"));
  CHECK(series.to_json(true)["series"].size() == 2);
  CHECK(series.to_json(true)["is_whole"] == true);
  CHECK(series.to_json(false)["is_whole"] == false);
}

TEST_CASE("what the job wrote itself has every step, and its times are found between those of the events") {
  metric_series series(job_id{42}, 100);
  series.take_event(R"({"type":"started","at":1000,"pid":7})");
  series.take_event(event(2'000, {{"step", 10}, {"metrics", {{"loss", 0.5}}}}));
  series.take_event(event(4'000, {{"step", 20}}));
  for (const int step : {5, 10, 15, 20, 25})
    series.take_report(report({{"step", step}, {"metrics", {{"loss", step / 10.0}}}}));
  series.take_report(report({{"step", 30}, {"job", 41}, {"metrics", {{"loss", 7}}}}));
  series.take_report(report({{"metrics", {{"loss", 8}}}}));
  CHECK(points_of(series, "loss") == json::parse("[[5,0.5,null],[10,1.0,1.0],[15,1.5,2.0],[20,2.0,3.0],[25,2.5,4.0]]"));
}

TEST_CASE("there are only so many series") {
  metric_series series(job_id{1}, 10);
  for (std::size_t i = 0; i <= limits::metric_series_max; ++i)
    series.take_report(report({{"step", i}, {"metrics", {{"m" + std::to_string(i), 1}}}}));
  const auto told = series.to_json(true);
  CHECK(told["series"].size() == limits::metric_series_max);
  CHECK(told["is_whole"] == false);
}

TEST_CASE("a file is read in pieces, a large one in some that are spread over it") {
  const scratch_folder scratch;
  const auto lines_in = [&](const char* name) {
    piecewise_lines lines(scratch.path(), name);
    std::vector<std::string> all;
    while (lines.has_more())
      lines.read([&](std::string_view line) { all.emplace_back(line); });
    return std::pair(all, lines.is_whole());
  };
  const auto write = [&](const char* name, std::size_t bytes) {
    std::ofstream out(scratch.path() / name, std::ios::binary);
    std::size_t written = 0, number = 0;
    while (written < bytes) {
      const auto line = "line " + std::to_string(number++) + " " + std::string(50, '.') + ";\n";
      out << line;
      written += line.size();
    }
    return number;
  };
  const auto count = write("small", 1'000'000);
  const auto [small, is_whole] = lines_in("small");
  CHECK(is_whole);
  CHECK(small.size() == count);
  CHECK(small.back().starts_with("line " + std::to_string(count - 1) + " "));

  const auto many = write("large", 3 * limits::metric_file_bytes_max);
  const auto [large, large_is_whole] = lines_in("large");
  CHECK_FALSE(large_is_whole);
  CHECK(large.size() < many / 2);
  CHECK(large.size() > many / 4);
  CHECK(large.front().starts_with("line 0 "));
  CHECK(large.back().starts_with("line " + std::to_string(many - 1) + " "));
  for (const auto& line : large)
    CHECK((line.starts_with("line ") && line.ends_with(".;"))); // none is a half one

  CHECK(lines_in("none").first.empty());
  REQUIRE(::mkfifo((scratch.path() / "pipe").c_str(), 0600) == 0);
  CHECK(lines_in("pipe").first.empty());
  std::filesystem::create_symlink("small", scratch.path() / "link");
  CHECK(lines_in("link").first.empty());
}
