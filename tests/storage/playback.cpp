#include "playback.hpp"

#include <algorithm>
#include <set>
#include <sstream>
#include <unistd.h>

namespace ferry::storage::test {
namespace {

// Far from now, because a store forgets old keys when it opens.
const auto submitted_at = from_unix_ms(4'000'000'000'000);

fact submitted(std::int64_t id, const std::string& type, std::size_t size) {
  auto job = queued(id, type, "name " + std::to_string(id));
  job.params = R"({"text":")" + std::string(size, static_cast<char>('a' + id % 26)) + "\"}";
  job.at = submitted_at;
  return job;
}

fact retried(std::int64_t id, std::int64_t order_key) { return job_retried{job_id{id}, order_key, at(50)}; }

std::vector<message> tell_story() {
  constexpr std::size_t small = 40, large = 5'000; // more than a page
  message many{.facts = {}, .from = {"key 3", "digest 3"}};
  for (std::int64_t id = 6; id <= 9; ++id)
    many.facts.push_back(submitted(id, "upscale", large));
  many.commits = true;
  auto needing = std::get<job_queued>(submitted(5, "inference", large));
  needing.needs = {job_id{1}, job_id{3}};
  needing.group = "night";
  needing.unique_key = "nightly";
  return {
      {.facts = {submitted(1, "upscale", small), submitted(2, "upscale", large), submitted(3, "upscale", small)},
       .from = {"key 1", "digest 1"}},
      {.facts = {submitted(4, "inference", large), needing}, .from = {"key 2", "digest 2"}, .commits = true},
      {.facts = {started(1, {1, 2})}, .launched = {job_id{1}, job_id{2}}},
      {.facts = {job_held{job_id{3}, at(31)}}, .commits = true},
      {.facts = {finished(1, 1), finished(2, 1, job_state::failed)}},
      {.facts = {batch_ended{batch_id{1}, at(32)}}, .commits = true},
      many,
      {.facts = {job_edited{job_id{4}, R"({"edited":true})", "another name", at(33)}, job_reordered{job_id{5}, 90, 7, at(34)},
                 job_released{job_id{3}, at(35)}, job_released{job_id{5}, at(35), true}}},
      {.facts = {started(2, {4, 5})}, .launched = {job_id{4}, job_id{5}}},
      {.facts = {retried(2, 99), queue_paused{true, at(36)}}, .commits = true},
      {.facts = {batch_requeued{batch_id{2}, {job_id{4}, job_id{5}}, "the daemon was restarted", at(37)}}, .commits = true},
      {.facts = {finished(4, 0, job_state::cancelled), jobs_cleared{{job_id{1}, job_id{4}}, at(38)}}, .commits = true},
      // Beyond the first 1,024 ids: writes the block of names of those before it.
      {.facts = {submitted(1'100, "command", large)}, .from = {"key 4", "digest 4"}, .commits = true},
      {.facts = {queue_paused{false, at(39)}}},
      {.facts = {started(3, {6, 7})}, .launched = {job_id{7}}, .commits = true},
      {.facts = {job_noted{job_id{6}, batch_id{3}, {note_kind::warned, at(40), {{"why", "silent"}}}},
                 attempt_ended{.id = job_id{6},
                               .batch = batch_id{3},
                               .why_failed = failure{failure_kind::timeout, "silent"},
                               .not_before = at(90),
                               .retries = 1,
                               .notes = {{note_kind::checkpoint, at(40), {{"path", "a"}}}},
                               .at = at(41)}}},
      {.facts = {type_held{"upscale", "it fails", at(42)}, group_changed{"night", 3, true, at(42)}}, .commits = true},
      {.facts = {type_released{"upscale", at(43)}, started(4, {6})}, .launched = {job_id{6}}, .commits = true},
  };
}

void describe(job_store& store, std::string& text) {
  const auto found = must(store.restore([&](const live_job& job) {
    text += std::string(job.type) + " " + to_string(job.id) + " " + std::to_string(job.priority) + " " +
            std::to_string(job.order_key) + (job.held ? " held " : " ") + std::to_string(job.attempts) + "\n";
  }));
  for (const auto& batch : found.running) {
    text += "batch " + to_string(batch.id);
    for (const auto& job : batch.jobs)
      text += " " + to_string(job.id);
    text += "\n";
  }
  text += "last " + to_string(found.last_job) + " " + to_string(found.last_batch) + " " + std::to_string(found.last_order_key) +
          (found.paused ? " paused" : "") + "\nfinished " + std::to_string(found.completed) + " " + std::to_string(found.failed) +
          " " + std::to_string(found.cancelled) + "\n";
}

std::vector<std::string> tell_states() {
  const temporary_folder folder(memory_folder());
  make_store(folder.path());
  std::vector<std::string> all{state_of(folder.path())};
  for (const auto& part : whole_story()) {
    store_facts(*open_store(folder.path()), part.facts, part.from);
    all.push_back(state_of(folder.path()));
  }
  REQUIRE(std::set<std::string>(all.begin(), all.end()).size() == all.size());
  return all;
}

} // namespace

const std::vector<message>& whole_story() {
  static const auto story = tell_story();
  return story;
}

const std::vector<std::string>& states() {
  static const auto all = tell_states();
  return all;
}

std::optional<std::size_t> place_of(const std::string& state) {
  const auto found = std::find(states().begin(), states().end(), state);
  return found == states().end() ? std::nullopt : std::optional{static_cast<std::size_t>(found - states().begin())};
}

std::string state_of(const std::filesystem::path& folder) {
  const connection_watch watch;
  const auto store = must(job_store::open(folder, config::durability::full, true));
  std::string text;
  describe(*store, text);
  std::istringstream tables(watch.rows("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"));
  for (std::string line; std::getline(tables, line);)
    text += line + "\n" + watch.rows("SELECT * FROM " + line.substr(1) + " ORDER BY 1, 2");
  return text;
}

std::filesystem::path memory_folder() {
  const std::filesystem::path shared_memory = "/dev/shm";
  return ::access(shared_memory.c_str(), W_OK) == 0 ? shared_memory : std::filesystem::temp_directory_path();
}

void make_store(const std::filesystem::path& folder) {
  static const temporary_folder empty;
  if (!std::filesystem::exists(empty.path() / "ferry.db"))
    (void)open_store(empty.path());
  std::filesystem::copy_file(empty.path() / "ferry.db", folder / "ferry.db");
}

std::unique_ptr<job_store> open_restless(const std::filesystem::path& folder, config::durability durability) {
  const connection_watch watch;
  auto store = must(job_store::open(folder, durability, false));
  watch.tell("PRAGMA cache_size = 8");
  watch.tell("PRAGMA wal_autocheckpoint = 25");
  return store;
}

bool playback::may_be(std::size_t place) const {
  return place == acknowledged_ || std::find(in_doubt_.begin(), in_doubt_.end(), place) != in_doubt_.end();
}

bool playback::go_on() {
  const auto& story = whole_story();
  while (acknowledged_ < story.size()) {
    const auto errors_before = refusals_.size();
    auto applied = acknowledged_;
    bool whole = false;
    while (!whole) {
      const auto& next = story[applied];
      if (const auto outcome = store_.apply(next.facts, next.from); !outcome) {
        refusals_.push_back(outcome.error());
        break;
      }
      ++applied;
      if (const auto params = store_.read_starts(next.launched); !params)
        refusals_.push_back(params.error());
      whole = next.commits;
    }
    const auto committed = store_.commit();
    REQUIRE_FALSE(store_.in_transaction());
    if (!committed) {
      refusals_.push_back(committed.error());
      if (whole)
        in_doubt_.push_back(applied);
    } else if (applied > acknowledged_) {
      acknowledged_ = applied;
      in_doubt_.clear();
    }
    if (refusals_.size() > errors_before)
      return acknowledged_ == story.size();
  }
  return true;
}

} // namespace ferry::storage::test
