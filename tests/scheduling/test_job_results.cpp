#include "scheduling/job_results.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ferry;
using namespace ferry::scheduling;

namespace {

job_record completed(std::int64_t id, json result) {
  job_record record;
  record.id = {id};
  record.state = job_state::completed;
  record.result = std::move(result);
  return record;
}

const auto directory = [](const job_record& r) { return std::filesystem::path("/runs") / to_string(r.id); };

} // namespace

TEST_CASE("a parameter names the result of an earlier job") {
  const json params = {{"source", "job:12"}, {"deep", {{"mask", "job:13"}}}, {"plain", "job:14"}};
  const std::vector<std::string> paths{"source", "deep.mask", "missing.path"};
  CHECK(referenced_jobs(params, paths) == std::vector<job_id>{{12}, {13}});
  const auto resolved = resolve_job_results(
      params, paths, {completed(12, {{"artifacts", {{{"path", "a.png"}}}}}), completed(13, {{"path", "m.png"}})}, directory);
  REQUIRE(resolved);
  CHECK((*resolved)["source"] == "/runs/12/a.png");
  CHECK((*resolved)["deep"]["mask"] == "/runs/13/m.png");
  CHECK((*resolved)["plain"] == "job:14");
}

TEST_CASE("a plain path is left as it is") {
  for (const char* path : {"photo.jpg", "job:", "job:x", "job:-1", "job:1x"})
    CHECK(referenced_jobs({{"source", path}}, {"source"}).empty());
}

TEST_CASE("what a job reads is named by its sources, and what lies below a shared folder is told by text alone") {
  const json params = {{"source", "/a/b"}, {"deep", {{"mask", "/a/b"}}}, {"other", "relative"}, {"plain", "/c"}, {"n", 7}};
  CHECK(sources_in(params, {"source", "deep.mask", "other", "n", "missing"}) == std::vector<std::string>{"/a/b"});
  const std::vector<std::string> shared{"/srv/data", "/nfs"};
  for (const char* path : {"/nfs", "/nfs/a", "/srv/data/deep/er", "/srv/other/../data/x", "/nfs/"})
    CHECK(is_below(path, shared));
  for (const char* path : {"/nfs2", "/srv", "/srv/data/../secret", "nfs/a", ""})
    CHECK_FALSE(is_below(path, shared));
}

TEST_CASE("a result that is not there is an error that says why") {
  const json params = {{"source", "job:12"}};
  const auto message = [&](std::vector<job_record> records) {
    return resolve_job_results(params, {"source"}, records, directory).error().what;
  };
  CHECK(message({}) == "source names job 12, which does not exist");
  CHECK(message({completed(12, nullptr)}) == "source: job 12 left no result file");
  auto failed = completed(12, nullptr);
  failed.state = job_state::failed;
  CHECK(message({failed}) == "source: job 12 has no result: it is failed");
}

TEST_CASE("a batch starts only when each of its jobs has what it refers to") {
  const std::vector<json> params{{{"source", "job:12"}}, {{"source", "plain.png"}}};
  const std::vector<job_record> found{completed(12, {{"path", "a.png"}})};
  const auto resolved = resolve_batch(params, {"source"}, found, directory, false);
  REQUIRE(std::holds_alternative<std::vector<std::string>>(resolved));
  CHECK(std::get<0>(resolved) == std::vector<std::string>{R"({"source":"/runs/12/a.png"})", R"({"source":"plain.png"})"});

  const auto refused = resolve_batch(params, {"source"}, std::vector<job_record>{}, directory, false);
  REQUIRE(std::holds_alternative<std::vector<job_outcome>>(refused));
  const auto& ends = std::get<1>(refused);
  REQUIRE(ends.size() == 2);
  CHECK(ends[0].why_failed->message == "source names job 12, which does not exist");
  CHECK(ends[1].why_failed->message == "another job of its batch failed");
  CHECK(ends[0].why_failed->kind == failure_kind::input);

  const auto unreadable = resolve_batch(params, {"source"}, fail(error_code::io, "the store cannot be read"), directory, false);
  CHECK(std::get<1>(unreadable).at(0).why_failed->message == "the store cannot be read");

  const auto cancelled = resolve_batch(params, {"source"}, found, directory, true);
  CHECK(std::get<1>(cancelled).at(1).state == job_state::cancelled);
}
