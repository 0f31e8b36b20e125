#include "storage_support.hpp"

using namespace ferry;
using namespace ferry::storage;
using namespace ferry::storage::test;

TEST_CASE("P6: a job's history tells the whole story, oldest first") {
  const temporary_folder folder;
  const auto store = open_store(folder.path());
  auto job = queued(1, "upscale", "first name");
  job.held = true;
  job.priority = 30;
  const failure out_of_memory{failure_kind::oom, "out of memory \xff", 1, 9};
  store_facts(*store, {job, job_edited{job_id{1}, R"({"scale":4})", "second name", at(2)}, job_released{job_id{1}, at(3)},
                       job_reordered{job_id{1}, 80, 5, at(4)}, started(1, {1}),
                       batch_requeued{batch_id{1}, {job_id{1}}, "never ran", at(5)}, started(2, {1})});
  auto failed = finished(1, 2, job_state::failed);
  failed.why_failed = out_of_memory;
  failed.result = R"({"partial":true})";
  store_facts(*store, {failed, batch_ended{batch_id{2}, at(6)}, jobs_cleared{{job_id{1}}, at(7)}, job_retried{job_id{1}, 99, at(8)},
                       started(3, {1}), finished(1, 3)});

  const auto reader = open_reader(folder.path());
  const auto story = must(reader->history(job_id{1}));
  std::vector<std::string> names;
  for (const auto& entry : story)
    names.push_back(entry.what);
  REQUIRE(names == std::vector<std::string>{"job_queued", "job_edited", "job_released", "job_reordered", "batch_started",
                                            "batch_requeued", "batch_started", "job_finished", "jobs_cleared", "job_retried",
                                            "batch_started", "job_finished"});
  CHECK(story[0].at == at(1));
  CHECK(story[0].detail == json{{"type", "upscale"}, {"priority", 30}, {"held", true}, {"name", "first name"}});
  CHECK(story[1].detail == json{{"changed", {"params", "name"}}, {"name", "second name"}, {"previous_name", "first name"}});
  CHECK(story[3].detail == json{{"priority", 80}, {"previous_priority", 30}});
  CHECK(story[4].detail == json{{"batch", 1}, {"attempt", 1}, {"device", "cpu"}});
  CHECK(story[5].detail == json{{"batch", 1}, {"reason", "never ran"}});
  CHECK(story[6].detail == json{{"batch", 2}, {"attempt", 1}, {"device", "cpu"}});
  CHECK(story[6].at == at(1002));
  CHECK(story[7].detail["state"] == "failed");
  CHECK(story[7].detail["failure"]["kind"] == "oom");
  CHECK(story[7].detail["failure"]["exit_status"] == 1);
  CHECK(story[7].detail["failure"]["signal"] == 9);
  CHECK(story[9].detail["previous_result"] == json{{"partial", true}});
  CHECK(story[10].detail["attempt"] == 2);
  CHECK(story[11].detail == json{{"batch", 3}, {"state", "completed"}});

  const auto record = must(reader->find(job_id{1}));
  CHECK(record.state == job_state::completed);
  CHECK(record.attempts == 2);
  CHECK_FALSE(record.why_failed);
  CHECK_FALSE(record.cleared);
  CHECK(record.result == json{{"artifacts", json::array()}});
  CHECK(record.params == json{{"scale", 4}});
  CHECK(record.name == "second name");
  const auto missing = reader->history(job_id{2});
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == error_code::not_found);
}

TEST_CASE("a failure comes back as it was written, and goes with a retry") {
  const temporary_folder folder;
  const auto store = open_store(folder.path());
  const auto reader = open_reader(folder.path());
  store_facts(*store, {queued(1), started(1, {1}), finished(1, 1, job_state::failed)});
  auto job = must(reader->find(job_id{1}));
  CHECK(job.why_failed == finished(1, 1, job_state::failed).why_failed);
  CHECK(job.finished == at(2001));
  store_facts(*store, {job_retried{job_id{1}, 7, at(9)}});
  job = must(reader->find(job_id{1}));
  CHECK(job.state == job_state::queued);
  CHECK_FALSE(job.why_failed);
  CHECK_FALSE(job.finished);
  CHECK(must(store->restore([](const live_job&) {})).failed == 0);
}
