#include "storage_support.hpp"

using namespace ferry;
using namespace ferry::storage;
using namespace ferry::storage::test;

TEST_CASE("a submit that is sent again under its key stores nothing and names the first jobs") {
  const temporary_folder folder;
  const submission from{"key", "digest"};
  auto job = queued(5);
  job.at = wall_clock_now(); // keys are forgotten by their age
  {
    const auto store = open_store(folder.path());
    CHECK(must(store->apply({queued(1), queued(2), job}, from)).already_submitted.empty());
    // In the same transaction already.
    CHECK(must(store->apply({queued(6)}, from)).already_submitted == std::vector{job_id{1}, job_id{2}, job_id{5}});
    must(store->commit());
  }
  const auto store = open_store(folder.path());
  CHECK(must(store->apply({queued(7)}, from)).already_submitted == std::vector{job_id{1}, job_id{2}, job_id{5}});
  must(store->commit());
  CHECK(must(store->restore([](const live_job&) {})).last_job == job_id{5});
}

TEST_CASE("a key that was used for another request is a conflict and stores nothing") {
  const temporary_folder folder;
  const auto store = open_store(folder.path());
  store_facts(*store, {queued(1)}, {"key", "digest"});
  const auto refused = store->apply({queued(2)}, {"key", "another digest"});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == error_code::conflict);
  CHECK(refused.error().what.find("\"key\"") != std::string::npos);
  must(store->commit());
  CHECK(must(store->restore([](const live_job&) {})).last_job == job_id{1});
  store_facts(*store, {queued(2)}, {"another key", "another digest"});
}

TEST_CASE("a key whose group was undone can be used again") {
  const temporary_folder folder;
  const auto store = open_store(folder.path());
  REQUIRE_FALSE(store->apply({queued(1), queued(1)}, {"key", "digest"}));
  CHECK(must(store->apply({queued(1)}, {"key", "digest"})).already_submitted.empty());
}

TEST_CASE("keys are forgotten after seven days, at start and with later submits") {
  const temporary_folder folder;
  auto job = queued(1);
  job.at = wall_clock_now() - std::chrono::hours(24 * 8);
  auto fresh = queued(2);
  fresh.at = wall_clock_now() - std::chrono::hours(24 * 6);
  {
    const auto store = open_store(folder.path());
    store_facts(*store, {job}, {"old", "digest"});
    store_facts(*store, {fresh}, {"fresh", "digest"});
  }
  const auto store = open_store(folder.path());
  CHECK(ask_sql(folder.path(), "SELECT count(*) FROM submissions WHERE key = 'old'") == 0);
  CHECK(ask_sql(folder.path(), "SELECT count(*) FROM submissions WHERE key = 'fresh'") == 1);
  auto later = queued(3);
  later.at = fresh.at + std::chrono::hours(24 * 8);
  store_facts(*store, {later}, {"later", "digest"});
  CHECK(ask_sql(folder.path(), "SELECT count(*) FROM submissions WHERE key = 'fresh'") == 0);
}
