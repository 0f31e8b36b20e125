// Groups of jobs and unique keys, as the store keeps them.
#include "storage_support.hpp"

#include <map>

using namespace ferry;
using namespace ferry::storage;
using namespace ferry::storage::test;

namespace {

job_queued in_group(std::int64_t id, const std::string& group, const std::string& unique_key = {}) {
  auto f = queued(id);
  f.group = group;
  f.unique_key = unique_key;
  return f;
}

} // namespace

TEST_CASE("a queue is restored with its groups, their settings and what is unique") {
  const temporary_folder folder;
  store_facts(*open_store(folder.path()),
              {in_group(1, "night", "a"), in_group(2, "night", "b"), in_group(3, "", "c"), in_group(4, "day"),
               group_changed{"night", 2, true, at(1)}, group_changed{"new", 7, false, at(1)}, group_changed{"day", 3, true, at(1)},
               group_changed{"day", 0, false, at(2)}, started(1, {1, 3}), finished(3, 1), finished(2, 0, job_state::cancelled)});
  const auto store = open_store(folder.path());
  std::map<std::int64_t, std::string> groups;
  const auto restored = must(store->restore([&](const live_job& job) { groups[job.id.value] = job.group; }));
  CHECK(groups == std::map<std::int64_t, std::string>{{4, "day"}});
  CHECK(restored.groups == std::map<std::string, scheduling::group_settings>{{"new", {7, false}}, {"night", {2, true}}});
  CHECK(restored.unique_keys == std::unordered_map<std::string, job_id>{{"a", job_id{1}}});
  REQUIRE(restored.running.size() == 1);
  CHECK(restored.running[0].jobs.at(0).group == "night");
  const auto shown = must(open_reader(folder.path())->find(job_id{2}));
  CHECK(shown.group == "night");
  CHECK(shown.unique_key == "b");
}

TEST_CASE("no two jobs with one key are queued or running, whoever says so") {
  const temporary_folder folder;
  const auto store = open_store(folder.path());
  store_facts(*store, {in_group(1, "", "a")});
  CHECK_FALSE(store->apply({in_group(2, "", "a")}));
  store_facts(*store, {started(1, {1})});
  CHECK_FALSE(store->apply({in_group(2, "", "a")}));
  store_facts(*store, {finished(1, 1, job_state::failed), in_group(2, "", "a")});
  CHECK_FALSE(store->apply({job_retried{job_id{1}, 9, at(1)}}));
  must(store->commit());
}

TEST_CASE("a request with an idempotency key is answered again with jobs that it did not make") {
  const temporary_folder folder;
  const auto store = open_store(folder.path());
  store_facts(*store, {queued(1), queued(2)});
  const submission mixed{.key = "k", .request_digest = "d", .answered = {job_id{2}, job_id{3}, job_id{1}}, .at = wall_clock_now()};
  store_facts(*store, {queued(3)}, mixed);
  CHECK(must(store->apply({queued(4)}, mixed)).already_submitted == mixed.answered);
  const submission none{.key = "n", .request_digest = "d", .answered = {job_id{1}}, .at = wall_clock_now()};
  store_facts(*store, {}, none);
  CHECK(must(store->apply({queued(4)}, none)).already_submitted == none.answered);
  must(store->commit());
}

TEST_CASE("since when a job could start is kept where it is not since it was queued") {
  const temporary_folder folder;
  auto again = attempt_ended{.id = job_id{4}, .batch = batch_id{1}, .how = attempt_end::preempted, .at = at(60)};
  auto needing = queued(6);
  needing.needs = {job_id{5}};
  store_facts(*open_store(folder.path()), {queued(1), queued(2), job_held{job_id{2}, at(20)}, job_released{job_id{2}, at(30)},
                                           queued(3), queued(4), queued(5), needing, finished(3, 0, job_state::cancelled),
                                           job_retried{job_id{3}, 9'999, at(40)}, started(1, {4, 5}), again, finished(5, 1)});
  std::map<std::int64_t, instant> since;
  must(open_store(folder.path())->restore([&](const live_job& job) { since[job.id.value] = job.waits_since; }));
  CHECK(since == std::map<std::int64_t, instant>{{1, at(1)}, {2, at(30)}, {3, at(40)}, {4, at(60)}, {6, at(2005)}});
}
