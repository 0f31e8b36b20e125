// What became of jobs, counted by time and by reason.
#include "storage_support.hpp"

using namespace ferry;
using namespace ferry::storage;
using namespace ferry::storage::test;

namespace {

constexpr duration hour = std::chrono::hours(1);

job_queued queued_at(std::int64_t id, instant when, const std::string& type = "upscale") {
  auto f = queued(id, type);
  f.at = when;
  return f;
}
batch_started started_at(std::int64_t batch, std::int64_t job, instant when) {
  auto f = started(batch, {job});
  f.at = when;
  return f;
}
job_finished finished_at(std::int64_t id, std::int64_t batch, instant when, job_state state = job_state::completed,
                         const std::string& why = {}) {
  auto f = finished(id, batch, state);
  f.at = when;
  if (!why.empty())
    f.why_failed = failure{failure_kind::exit_status, why, 3, {}};
  return f;
}

} // namespace

TEST_CASE("jobs are counted by the hour in which they were submitted, started and ended") {
  const temporary_folder folder;
  const instant noon = from_unix_ms(1'767'268'800'000); // a full hour
  const auto store = open_store(folder.path());
  store_facts(*store, {queued_at(1, noon + std::chrono::minutes(1)), queued_at(2, noon + std::chrono::minutes(2)),
                       queued_at(3, noon + std::chrono::minutes(50), "train"), started_at(1, 1, noon + std::chrono::minutes(3)),
                       finished_at(1, 1, noon + std::chrono::minutes(5)), started_at(2, 2, noon + std::chrono::minutes(12)),
                       finished_at(2, 2, noon + hour + std::chrono::minutes(2), job_state::failed, "no"),
                       finished_at(3, 0, noon + hour + std::chrono::minutes(3), job_state::cancelled)});
  const auto reader = open_reader(folder.path());
  const auto all = must(reader->counts({.from = noon, .bucket = hour}));
  CHECK(all.is_whole);
  REQUIRE(all.rows.size() == 4);
  const auto& first = all.rows[0];
  CHECK(first.start == noon);
  CHECK(first.type == "train");
  CHECK(first.submitted == 1);
  CHECK(all.rows[1].type == "upscale");
  CHECK(all.rows[1].submitted == 2);
  CHECK(all.rows[1].completed == 1);
  CHECK(all.rows[1].failed == 0);
  CHECK(all.rows[1].started == 2);
  CHECK(all.rows[1].wait_p50 == std::chrono::minutes(10));
  CHECK(all.rows[1].wait_p90 == std::chrono::minutes(10));
  CHECK(all.rows[1].device_time == std::chrono::minutes(2));
  CHECK(all.rows[2].start == noon + hour);
  CHECK(all.rows[2].cancelled == 1);
  CHECK(all.rows[3].failed == 1);
  CHECK(all.rows[3].device_time == std::chrono::minutes(50));
  CHECK(must(reader->counts({.from = noon + hour, .bucket = hour})).rows.size() == 2);
  const auto shifted = must(reader->counts({.from = noon, .bucket = hour, .offset = std::chrono::minutes(30)}));
  CHECK(shifted.rows.front().start == noon - std::chrono::minutes(30));
  CHECK_FALSE(must(reader->counts({.from = noon, .bucket = hour, .rows_max = 2})).is_whole);
}

TEST_CASE("jobs that failed for the same reason are counted together, cleared ones too") {
  const temporary_folder folder;
  const auto store = open_store(folder.path());
  std::vector<fact> facts;
  for (std::int64_t id = 1; id <= 5; ++id) {
    facts.emplace_back(queued(id));
    facts.emplace_back(started(id, {id}));
    facts.emplace_back(finished_at(id, id, at(100 + id), job_state::failed, id <= 3 ? "often" : id == 4 ? "once" : "late"));
  }
  facts.emplace_back(jobs_cleared{{job_id{2}}, at(200)});
  store_facts(*store, facts);
  const auto reader = open_reader(folder.path());
  const auto why = must(reader->failures(2));
  REQUIRE(why.size() == 2);
  CHECK(why[0].jobs == 3);
  CHECK(why[0].why.message == "often");
  CHECK(why[0].last == at(103));
  CHECK(why[0].type == "upscale");
  CHECK(why[1].why.message == "late");
}
