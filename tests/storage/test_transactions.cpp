#include "storage_support.hpp"

#include <atomic>
#include <thread>

using namespace ferry;
using namespace ferry::storage;
using namespace ferry::storage::test;

TEST_CASE("P1: a group is visible whole after its commit and not at all before") {
  const temporary_folder folder;
  const auto store = open_store(folder.path());
  const auto reader = open_reader(folder.path());
  must(store->apply({queued(1), queued(2)}));
  must(store->apply({queued(3)}));
  CHECK(store->in_transaction());
  CHECK(must(reader->page({})).jobs.empty());
  const auto starts = must(store->read_starts({job_id{3}, job_id{1}}));
  REQUIRE(starts.size() == 2);
  CHECK(starts[0].params == R"({"id":3})");
  CHECK(starts[1].params == R"({"id":1})");
  CHECK(starts[0].checkpoints.empty());
  must(store->commit());
  CHECK_FALSE(store->in_transaction());
  CHECK(ids_of(must(reader->page({})).jobs) == std::vector<std::int64_t>{3, 2, 1});
}

TEST_CASE("what was not committed is gone after a reopen") {
  const temporary_folder folder;
  {
    const auto store = open_store(folder.path());
    store_facts(*store, {queued(1)});
    must(store->apply({queued(2)}));
  }
  const auto store = open_store(folder.path());
  CHECK(must(store->restore([](const live_job&) {})).last_job == job_id{1});
}

TEST_CASE("a refused group undoes its own facts only") {
  const temporary_folder folder;
  const auto store = open_store(folder.path());
  must(store->apply({queued(1)}));
  const auto refused =
      store->apply({queued(2, "a type of its own"), queue_paused{true, at(1)}, finished(99, 0, job_state::cancelled)});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == error_code::internal);
  must(store->apply({queued(3, "a type of its own")}));
  must(store->commit());
  std::vector<std::int64_t> live;
  const auto restored = must(store->restore([&](const live_job& job) { live.push_back(job.id.value); }));
  CHECK(live == std::vector<std::int64_t>{1, 3});
  CHECK_FALSE(restored.paused);
  CHECK(must(open_reader(folder.path())->find(job_id{3})).type == "a type of its own");
}

TEST_CASE("a refused first group leaves no transaction behind") {
  const temporary_folder folder;
  const auto store = open_store(folder.path());
  REQUIRE_FALSE(store->apply({queued(1), queued(1)}));
  CHECK_FALSE(store->in_transaction());
  must(store->commit());
  CHECK(must(store->restore([](const live_job&) {})).last_job.is_none());
}

TEST_CASE("facts that the state machine forbids are refused and change nothing") {
  const temporary_folder folder;
  const auto store = open_store(folder.path());
  store_facts(*store, {queued(1), queued(2), queued(3, "inference"), started(1, {2})});
  const auto reader = open_reader(folder.path());
  const auto is_refused = [&](const fact& f) {
    const auto outcome = store->apply({f});
    must(store->commit());
    return !outcome && outcome.error().code == error_code::internal;
  };
  CHECK(is_refused(queued(1)));
  CHECK(is_refused(queued(0)));
  CHECK(is_refused(finished(1, 0, job_state::completed))); // queued jobs can only be cancelled
  CHECK(is_refused(finished(1, 0, job_state::queued)));
  CHECK(is_refused(finished(1, 1, job_state::cancelled))); // it is in no batch
  CHECK(is_refused(finished(2, 0, job_state::completed))); // it is in batch 1
  CHECK(is_refused(finished(7, 0, job_state::cancelled))); // there is no such job
  CHECK(is_refused(started(1, {1})));                      // a batch id is used once
  CHECK(is_refused(started(2, {})));
  CHECK(is_refused(started(2, {1, 3}))); // two types
  CHECK(is_refused(started(2, {2})));    // runs already
  CHECK(is_refused(started(2, {1, 1})));
  CHECK(is_refused(batch_ended{batch_id{1}, at(1)})); // job 2 still runs
  CHECK(is_refused(batch_ended{batch_id{9}, at(1)}));
  CHECK(is_refused(batch_requeued{batch_id{1}, {job_id{1}}, "", at(1)}));
  CHECK(is_refused(job_retried{job_id{2}, 1, at(1)}));
  CHECK(is_refused(job_edited{job_id{2}, "{}", {}, at(1)})); // running
  CHECK(is_refused(jobs_cleared{{job_id{1}}, at(1)}));
  CHECK(is_refused(job_held{job_id{7}, at(1)}));
  store_facts(*store, {finished(2, 1)});
  CHECK(is_refused(finished(2, 1)));
  CHECK(is_refused(job_retried{job_id{2}, 1, at(1)})); // completed
  CHECK(is_refused(job_released{job_id{2}, at(1)}));
  CHECK(is_refused(job_reordered{job_id{2}, 1, 1, at(1)}));
  CHECK(must(reader->find(job_id{1})).state == job_state::queued);
  CHECK(must(reader->find(job_id{2})).state == job_state::completed);
  CHECK(must(reader->history(job_id{1})).size() == 1);
  CHECK(must(store->restore([](const live_job&) {})).last_batch == batch_id{1});
}

TEST_CASE("a reader on another thread sees whole groups while the writer goes on") {
  const temporary_folder folder;
  const auto store = open_store(folder.path());
  const auto reader = open_reader(folder.path());
  constexpr std::int64_t group = 5, groups = 100;
  std::atomic<bool> done = false, written = true;
  std::thread writer([&] {
    for (std::int64_t n = 0; n < groups && written; ++n) {
      std::vector<fact> facts;
      for (std::int64_t id = n * group + 1; id <= (n + 1) * group; ++id)
        facts.push_back(queued(id));
      written = store->apply(facts).has_value() && store->commit().has_value();
    }
    done = true;
  });
  std::size_t seen = 0;
  bool whole = true, grows = true;
  for (bool last_look = false; !last_look;) {
    last_look = done;
    const auto page = reader->page({.limit = 1'000});
    whole = whole && page && page->jobs.size() % group == 0;
    grows = grows && page && page->jobs.size() >= seen;
    seen = page ? page->jobs.size() : seen;
  }
  writer.join();
  CHECK(written);
  CHECK(whole);
  CHECK(grows);
  CHECK(seen == static_cast<std::size_t>(group * groups));
}
