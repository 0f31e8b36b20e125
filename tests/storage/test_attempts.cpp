// Attempts that follow on others, as the store keeps them.
#include "storage_support.hpp"

using namespace ferry;
using namespace ferry::storage;
using namespace ferry::storage::test;

namespace {

run_note saved(const std::string& path, std::int64_t step) {
  return {note_kind::checkpoint, at(step), {{"path", path}, {"step", step}}};
}

attempt_ended ended(std::int64_t job, std::int64_t batch, attempt_end how, std::vector<run_note> notes = {}) {
  return {.id = job_id{job}, .batch = batch_id{batch}, .how = how, .notes = std::move(notes), .at = at(50)};
}

std::vector<std::string> paths_for(job_store& store, std::int64_t job) {
  std::vector<std::string> paths;
  const auto starts = must(store.read_starts({job_id{job}}));
  for (const auto& one : starts.at(0).checkpoints)
    paths.push_back(std::to_string(one.batch.value) + ":" + one.path);
  return paths;
}

} // namespace

TEST_CASE("a retried job is queued again with its backoff, its attempts and retries counted, also after reopening") {
  const temporary_folder folder;
  auto store = open_store(folder.path());
  auto again = ended(1, 1, attempt_end::retried);
  again.why_failed = failure{failure_kind::lost, "gone"};
  again.not_before = at(9'000);
  again.retries = 1;
  store_facts(*store, {queued(1), started(1, {1}), again, batch_ended{batch_id{1}, at(51)}});
  store.reset();
  store = open_store(folder.path());
  std::vector<live_job> live;
  const auto restored = must(store->restore([&](const live_job& job) { live.push_back(job); }));
  CHECK(restored.running.empty());
  REQUIRE(live.size() == 1);
  CHECK(live[0].attempts == 1);
  CHECK(live[0].retries == 1);
  CHECK(live[0].not_before == at(9'000));
  const auto story = must(open_reader(folder.path())->history(job_id{1}));
  CHECK(story.back().what == "attempt_ended");
  CHECK(story.back().detail["how"] == "retried");
  CHECK(story.back().detail["failure"]["kind"] == "lost");
  store_facts(*store, {started(2, {1})});
  CHECK_FALSE(must(open_reader(folder.path())->find(job_id{1})).not_before);
}

TEST_CASE("a suspended job is held with its reason until it is released") {
  const temporary_folder folder;
  const auto store = open_store(folder.path());
  auto suspended = ended(1, 1, attempt_end::suspended);
  suspended.held = true;
  suspended.held_for = "suspended";
  store_facts(*store, {queued(1), started(1, {1}), suspended});
  const auto reader = open_reader(folder.path());
  CHECK(must(reader->find(job_id{1})).held);
  CHECK(must(reader->find(job_id{1})).held_for == "suspended");
  store_facts(*store, {job_released{job_id{1}, at(60)}});
  CHECK_FALSE(must(reader->find(job_id{1})).held);
  CHECK(must(reader->find(job_id{1})).held_for.empty());
}

TEST_CASE("an attempt begins with the checkpoints of those before it, the newest first") {
  const temporary_folder folder;
  const auto store = open_store(folder.path());
  store_facts(*store, {queued(1), started(1, {1})});
  CHECK(paths_for(*store, 1).empty());
  store_facts(*store, {ended(1, 1, attempt_end::preempted, {saved("a", 10), saved("b", 20)}), started(2, {1}),
                       ended(1, 2, attempt_end::continued, {saved("c", 30)}), started(3, {1})});
  CHECK(paths_for(*store, 1) == std::vector<std::string>{"2:c", "1:b", "1:a"});
  const auto newest = must(store->read_starts({job_id{1}})).at(0).checkpoints.at(0);
  CHECK(newest.step == 30);
  CHECK(newest.job == job_id{1});
}

TEST_CASE("a retry from scratch sets the checkpoints before it aside; a plain retry goes on from them") {
  const temporary_folder folder;
  const auto store = open_store(folder.path());
  auto failed = finished(1, 1, job_state::failed);
  failed.notes = {saved("a", 10)};
  store_facts(*store, {queued(1), started(1, {1}), failed, job_retried{job_id{1}, 9, at(60)}, started(2, {1})});
  CHECK(paths_for(*store, 1) == std::vector<std::string>{"1:a"});
  auto again = finished(1, 2, job_state::failed);
  again.notes = {saved("b", 20)};
  store_facts(*store, {again, job_retried{job_id{1}, 10, at(70), true}, started(3, {1})});
  CHECK(paths_for(*store, 1).empty());
}

TEST_CASE("a job resumed as a new one begins with the checkpoints of the old one, its own come first") {
  const temporary_folder folder;
  const auto store = open_store(folder.path());
  auto failed = finished(1, 1, job_state::failed);
  failed.notes = {saved("a", 10)};
  auto resumed = queued(2);
  resumed.resumed_from = job_id{1};
  store_facts(*store, {queued(1), started(1, {1}), failed, resumed, started(2, {2})});
  CHECK(paths_for(*store, 2) == std::vector<std::string>{"1:a"});
  store_facts(*store, {ended(2, 2, attempt_end::preempted, {saved("b", 20)}), started(3, {2})});
  CHECK(paths_for(*store, 2) == std::vector<std::string>{"2:b", "1:a"});
  CHECK(must(open_reader(folder.path())->find(job_id{2})).resumed_from == job_id{1});
}

TEST_CASE("crashes while a job is being started are counted until an attempt ends or it is released") {
  const temporary_folder folder;
  const auto store = open_store(folder.path());
  const auto crashes = [&] {
    int found = -1;
    must(store->restore([&](const live_job& job) { found = job.start_crashes; }));
    return found;
  };
  batch_requeued crashed{batch_id{1}, {job_id{1}}, "died", at(2), true};
  store_facts(*store, {queued(1), started(1, {1}), crashed});
  CHECK(crashes() == 1);
  crashed.id = batch_id{2};
  store_facts(*store, {started(2, {1}), crashed, job_held{job_id{1}, at(3), "quarantined"}});
  CHECK(must(open_reader(folder.path())->find(job_id{1})).held_for == "quarantined");
  store_facts(*store, {job_released{job_id{1}, at(4)}});
  CHECK(crashes() == 0);
}

TEST_CASE("a type is held with its reason until it is released") {
  const temporary_folder folder;
  auto store = open_store(folder.path());
  store_facts(*store, {queued(1), type_held{"upscale", "it fails", at(1)}, type_held{"never used", "x", at(1)}});
  store.reset();
  store = open_store(folder.path());
  using held = std::map<std::string, std::string>;
  CHECK(must(store->restore([](const live_job&) {})).held_types == held{{"upscale", "it fails"}, {"never used", "x"}});
  store_facts(*store, {type_released{"upscale", at(2)}, type_released{"never used", at(2)}});
  CHECK(must(store->restore([](const live_job&) {})).held_types.empty());
}

TEST_CASE("a running attempt leaves its timeline in order") {
  const temporary_folder folder;
  const auto store = open_store(folder.path());
  auto done = finished(1, 1);
  done.notes = {{note_kind::started, at(10)}, {note_kind::loaded, at(11)}, saved("a", 12)};
  store_facts(*store,
              {queued(1), started(1, {1}), job_noted{job_id{1}, batch_id{1}, {note_kind::warned, at(9), {{"why", "slow"}}}}, done});
  std::vector<std::string> names;
  for (const auto& entry : must(open_reader(folder.path())->history(job_id{1})))
    names.push_back(entry.what);
  CHECK(names == std::vector<std::string>{"job_queued", "batch_started", "run_warned", "run_started", "run_loaded",
                                          "checkpoint_saved", "job_finished"});
  REQUIRE_FALSE(store->apply({job_noted{job_id{1}, batch_id{1}, {note_kind::warned, at(9)}}})); // it has finished
}
