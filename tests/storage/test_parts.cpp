// Jobs that run in parts, as the store keeps them.
#include "storage_support.hpp"

#include <fstream>
#include <map>
#include <sstream>

using namespace ferry;
using namespace ferry::storage;
using namespace ferry::storage::test;

namespace {

batch_started part_started(std::int64_t batch, std::int64_t job, job_part part) {
  auto f = started(batch, {job});
  f.parts = {part};
  return f;
}

attempt_ended part_done(std::int64_t id, std::int64_t batch, const std::string& result) {
  return {.id = {id},
          .batch = {batch},
          .how = attempt_end::part_done,
          .why_failed = {},
          .not_before = {},
          .at = at(60 + batch),
          .result = result};
}

run_note checkpoint_at(std::int64_t second, const std::string& path) {
  return {note_kind::checkpoint, at(second), {{"path", path}}};
}

} // namespace

TEST_CASE("a job that ran in parts has the results of all of them, and a queue is restored with how far it is") {
  const temporary_folder folder;
  {
    const auto store = open_store(folder.path());
    store_facts(*store, {queued(1), queued(2), part_started(1, 1, {0, 8, 20}), part_done(1, 1, R"({"made":8})"),
                         batch_ended{batch_id{1}, at(62)}, part_started(2, 1, {8, 8, 20})});
    std::map<std::int64_t, int> done;
    const auto restored = must(store->restore([&](const live_job& job) { done[job.id.value] = job.items_done; }));
    CHECK(done == std::map<std::int64_t, int>{{2, 0}});
    REQUIRE(restored.running.size() == 1);
    CHECK(restored.running[0].jobs.at(0).part == job_part{8, 8, 20});
    CHECK(restored.running[0].jobs.at(0).attempts == 1); // a part that is done is no attempt
    store_facts(*store, {part_done(1, 2, ""), batch_ended{batch_id{2}, at(63)}});
    must(store->restore([&](const live_job& job) { done[job.id.value] = job.items_done; }));
    CHECK(done == std::map<std::int64_t, int>{{1, 16}, {2, 0}});
  }
  const auto store = open_store(folder.path());
  auto last = finished(1, 3);
  last.result = R"({"made":4})";
  store_facts(*store, {part_started(3, 1, {16, 4, 20}), last});
  const auto job = must(open_reader(folder.path())->find(job_id{1}));
  CHECK(job.attempts == 1);
  CHECK(job.items_done == 16);
  CHECK(job.result["parts"] == json::parse(R"([
    {"batch": 1, "first_item": 0, "items": 8, "result": {"made": 8}},
    {"batch": 2, "first_item": 8, "items": 8, "result": null},
    {"batch": 3, "first_item": 16, "items": 4, "result": {"made": 4}}])"));
}

TEST_CASE("a retry goes on behind the parts that are done, and one from scratch sets them aside") {
  for (const bool from_scratch : {false, true}) {
    CAPTURE(from_scratch);
    const temporary_folder folder;
    const auto store = open_store(folder.path());
    store_facts(*store, {queued(1), part_started(1, 1, {0, 3, 5}), part_done(1, 1, "7"), part_started(2, 1, {3, 2, 5}),
                         finished(1, 2, job_state::failed), job_retried{job_id{1}, 9, at(80), from_scratch}});
    std::vector<int> done;
    must(store->restore([&](const live_job& job) { done.push_back(job.items_done); }));
    CHECK(done == std::vector{from_scratch ? 0 : 3});
    const auto job = must(open_reader(folder.path())->find(job_id{1}));
    CHECK(job.result == (from_scratch ? json() : json::parse(R"({"parts":[{"batch":1,"first_item":0,"items":3,"result":7}]})")));
  }
}

TEST_CASE("a part begins with no checkpoint of another one") {
  const temporary_folder folder;
  const auto store = open_store(folder.path());
  auto first = part_done(1, 1, "");
  first.notes = {checkpoint_at(50, "of-first")};
  attempt_ended suspended{.id = {1}, .batch = {2}, .how = attempt_end::suspended, .why_failed = {}, .not_before = {}, .at = at(70)};
  store_facts(*store, {queued(1), part_started(1, 1, {0, 3, 5}), first, part_started(2, 1, {3, 2, 5}), suspended,
                       part_started(3, 1, {3, 2, 5})});
  CHECK(must(store->read_starts({job_id{1}})).at(0).checkpoints.empty());
  auto again = suspended;
  again.batch = batch_id{3};
  again.notes = {checkpoint_at(75, "of-second")};
  store_facts(*store, {again, part_started(4, 1, {3, 2, 5})});
  const auto starts = must(store->read_starts({job_id{1}}));
  REQUIRE(starts.at(0).checkpoints.size() == 1);
  CHECK(starts[0].checkpoints[0].path == "of-second");
}

TEST_CASE("a checkpoint counts only for an attempt that runs the same items") {
  const temporary_folder folder;
  const auto store = open_store(folder.path());
  attempt_ended suspended{.id = {1}, .batch = {1}, .how = attempt_end::suspended, .why_failed = {}, .not_before = {}, .at = at(70)};
  suspended.notes = {checkpoint_at(60, "of-eight")};
  store_facts(*store, {queued(1), part_started(1, 1, {0, 8, 20}), suspended, part_started(2, 1, {0, 4, 20})});
  CHECK(must(store->read_starts({job_id{1}})).at(0).checkpoints.empty()); // fewer fit by now
  // A new job that continues it begins with all its items.
  auto next = queued(2);
  next.resumed_from = job_id{1};
  store_facts(*store, {next, started(3, {2})});
  CHECK(must(store->read_starts({job_id{2}})).at(0).checkpoints.empty());
}

TEST_CASE("results of parts that are too much for one answer are left out, and that is said") {
  const temporary_folder folder;
  const auto store = open_store(folder.path());
  const std::string large = '"' + std::string(250'000, 'x') + '"';
  std::vector<fact> facts{queued(1)};
  for (int part = 0; part < 20; ++part) {
    facts.emplace_back(part_started(part + 1, 1, {part, 1, 30}));
    facts.emplace_back(part_done(1, part + 1, large));
  }
  store_facts(*store, facts);
  const auto job = must(open_reader(folder.path())->find(job_id{1}));
  const auto& parts = job.result["parts"];
  REQUIRE(parts.size() == 20);
  CHECK(parts[0]["result"].is_string());
  CHECK(parts[19]["result"].is_null());
  CHECK(parts[19].contains("left_out"));
}

TEST_CASE("a part cannot be done of a job that does not run in parts") {
  const temporary_folder folder;
  const auto store = open_store(folder.path());
  store_facts(*store, {queued(1), started(1, {1})});
  const auto refused = store->apply({part_done(1, 1, "")});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == error_code::internal);
}

TEST_CASE("P10: parts of a store of version 8 are found again") {
  const temporary_folder folder;
  std::ifstream input(std::filesystem::path(FERRY_FIXTURES) / "schema_v8.sql");
  std::stringstream text;
  text << input.rdbuf();
  run_sql(folder.path(), text.str());
  const auto store = open_store(folder.path());
  std::map<std::int64_t, std::pair<int, int>> parts;
  const auto restored = must(store->restore([&](const live_job& job) { parts[job.id.value] = {job.items_done, job.items_max}; }));
  CHECK(parts.at(1) == std::pair{8, 8});
  CHECK(parts.at(5) == std::pair{0, 0});
  CHECK(restored.running.at(0).jobs.at(0).part == job_part{4, 4, 6});
  CHECK(must(open_reader(folder.path())->find(job_id{1})).result["parts"][0]["result"] == json{{"made", 8}});
}
