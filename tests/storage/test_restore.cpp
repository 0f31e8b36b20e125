#include "storage_support.hpp"

#include <algorithm>

using namespace ferry;
using namespace ferry::storage;
using namespace ferry::storage::test;

TEST_CASE("a reopened store gives back the queue in order, what ran and the counters") {
  const temporary_folder folder;
  {
    const auto store = open_store(folder.path());
    std::vector<fact> facts;
    for (std::int64_t id = 1; id <= 8; ++id)
      facts.push_back(queued(id, id % 2 ? "upscale" : "inference"));
    store_facts(*store, facts);
    store_facts(*store,
                {job_held{job_id{3}, at(1)}, job_reordered{job_id{7}, 80, 1, at(2)}, job_reordered{job_id{5}, 50, -9, at(2)},
                 started(1, {2, 4}), finished(4, 1, job_state::failed), started(2, {1}), finished(1, 2),
                 batch_ended{batch_id{2}, at(3)}, finished(6, 0, job_state::cancelled), queue_paused{true, at(4)}});
  }
  const auto store = open_store(folder.path());
  std::vector<std::int64_t> order;
  const auto restored = must(store->restore([&](const live_job& job) {
    order.push_back(job.id.value);
    CHECK(job.type == (job.id.value % 2 ? "upscale" : "inference"));
    CHECK(job.held == (job.id.value == 3));
    CHECK(job.priority == (job.id.value == 7 ? 80 : 50));
    CHECK(job.attempts == 0);
  }));
  CHECK(order == std::vector<std::int64_t>{7, 5, 8, 3});
  CHECK(restored.last_job == job_id{8});
  CHECK(restored.last_batch == batch_id{2});
  CHECK(restored.last_order_key == 8 * 1024);
  CHECK(restored.paused);
  CHECK(restored.completed == 1);
  CHECK(restored.failed == 1);
  CHECK(restored.cancelled == 1);
  REQUIRE(restored.running.size() == 1);
  const auto& batch = restored.running.front();
  CHECK(batch.id == batch_id{1});
  CHECK(batch.device == "cpu");
  CHECK(batch.type == "inference");
  CHECK(batch.started == at(1001));
  REQUIRE(batch.jobs.size() == 1);
  CHECK(batch.jobs.front().id == job_id{2});
  CHECK(batch.jobs.front().attempts == 1);
  CHECK(batch.jobs.front().order_key == 2 * 1024);
}

TEST_CASE("a batch whose jobs have all finished is given back until it has ended") {
  const temporary_folder folder;
  const auto store = open_store(folder.path());
  store_facts(*store, {queued(1), started(1, {1}), finished(1, 1)});
  auto restored = must(store->restore([](const live_job&) {}));
  REQUIRE(restored.running.size() == 1);
  CHECK(restored.running.front().jobs.empty());
  CHECK(restored.running.front().type == "upscale");
  store_facts(*store, {batch_ended{batch_id{1}, at(1)}});
  CHECK(must(store->restore([](const live_job&) {})).running.empty());
}

TEST_CASE("P2: a batch that never ran counts no attempt, and an earlier attempt shows again") {
  const temporary_folder folder;
  const auto store = open_store(folder.path());
  const auto reader = open_reader(folder.path());
  store_facts(*store, {queued(1), started(1, {1}), batch_requeued{batch_id{1}, {job_id{1}}, "no run directory", at(2)}});
  auto job = must(reader->find(job_id{1}));
  CHECK(job.state == job_state::queued);
  CHECK(job.attempts == 0);
  CHECK(job.batch.is_none());
  CHECK_FALSE(job.started);
  CHECK(job.device.empty());
  CHECK(must(store->restore([](const live_job&) {})).running.empty());

  store_facts(*store, {started(2, {1}), finished(1, 2, job_state::failed), batch_ended{batch_id{2}, at(3)},
                       job_retried{job_id{1}, 9000, at(4)}, started(3, {1}),
                       batch_requeued{batch_id{3}, {job_id{1}}, "no run directory", at(5)}, batch_ended{batch_id{3}, at(6)}});
  job = must(reader->find(job_id{1}));
  CHECK(job.attempts == 1);
  CHECK(job.batch == batch_id{2});
  CHECK(job.started == at(1002));
  CHECK(job.order_key == 9000);
}

TEST_CASE("one thousand jobs come back as they were written") {
  const temporary_folder folder;
  {
    const auto store = open_store(folder.path());
    std::vector<fact> facts;
    for (std::int64_t id = 1; id <= 1'000; ++id)
      facts.push_back(queued(id, "type " + std::to_string(id % 10), "name " + std::to_string(id)));
    store_facts(*store, facts);
  }
  const auto reader = open_reader(folder.path());
  const auto job = must(reader->find(job_id{777}));
  CHECK(job.type == "type 7");
  CHECK(job.name == "name 777");
  CHECK(job.params == json{{"id", 777}});
  CHECK(job.created == at(777));
  CHECK(job.result.is_null());
  CHECK_FALSE(job.why_failed);
  const auto some = must(reader->find_all({job_id{9}, job_id{5000}, job_id{3}}, true));
  CHECK(ids_of(some) == std::vector<std::int64_t>{9, 3});
  CHECK(some.front().params.empty());
  CHECK(must(reader->find_all({job_id{9}}, false)).front().params == json{{"id", 9}});
  const auto missing = reader->find(job_id{5000});
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == error_code::not_found);
}

TEST_CASE("the devices that a job asks for are kept with it, and given back while it is live") {
  const temporary_folder folder;
  const device_selector on{{{"gpu", "h100"}, {"node", "alpha"}}};
  auto choosy = queued(2), over = queued(3);
  choosy.on = over.on = on;
  {
    const auto store = open_store(folder.path());
    store_facts(*store, {queued(1), choosy, over, started(1, {2}), finished(3, 0, job_state::cancelled)});
  }
  const auto store = open_store(folder.path());
  const auto selectors = must(store->restore([](const live_job&) {})).selectors;
  REQUIRE(selectors.size() == 1);
  CHECK(selectors.at(job_id{2}) == on);
  const auto reader = open_reader(folder.path());
  CHECK(must(reader->find(job_id{3})).on == on);
  CHECK(must(reader->find(job_id{1})).on.is_empty());
}
