// Random facts go to the store and to a plain model of it; after every group that is kept, and after reopening, both say the same.
#include "storage_support.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <random>

using namespace ferry;
using namespace ferry::storage;
using namespace ferry::storage::test;

namespace {

struct model_job {
  std::string type, name, params;
  job_state state = job_state::queued;
  int priority = 50;
  std::int64_t order_key = 0;
  bool held = false, cleared = false;
  int retries = 0;
  std::optional<instant> not_before = {};
  std::vector<std::int64_t> attempts; // the batch of each
};

struct model {
  std::map<std::int64_t, model_job> jobs;
  std::map<std::int64_t, std::vector<std::int64_t>> open_batches; // with the jobs that still run
  std::int64_t last_batch = 0, last_order_key = 0;
  bool paused = false;
};

class story {
public:
  explicit story(unsigned seed) : random_(seed) {}

  std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_() % n); }

  // One fact that is allowed now; the model follows. Nothing when the dice name an impossible one.
  std::optional<fact> next(model& m) {
    switch (below(12)) {
    case 0:
    case 1: return queue_job(m);
    case 2: return start_batch(m);
    case 3: return end_batch(m);
    case 4:
      return with(m, {job_state::running},
                  [&](auto id, auto& job) { return below(3) == 0 ? end_attempt(m, id, job) : finish(m, id, job); });
    case 5: return requeue(m);
    case 6: return with(m, {job_state::queued}, [&](auto id, auto& job) { return edit(id, job); });
    case 7: return with(m, {job_state::queued, job_state::running}, [&](auto id, auto& job) { return hold(id, job); });
    case 8: return with(m, {job_state::queued, job_state::running}, [&](auto id, auto& job) { return reorder(m, id, job); });
    case 9: return with(m, {job_state::failed, job_state::cancelled}, [&](auto id, auto& job) { return retry(m, id, job); });
    case 10:
      return with(m, {job_state::failed, job_state::cancelled, job_state::completed}, [&](auto id, auto& job) -> fact {
        job.cleared = true;
        return jobs_cleared{{job_id{id}}, at(1)};
      });
    default: m.paused = !m.paused; return queue_paused{m.paused, at(1)};
    }
  }

private:
  template <class Make>
  std::optional<fact> with(model& m, std::vector<job_state> states, Make&& make) {
    std::vector<std::int64_t> ids;
    for (const auto& [id, job] : m.jobs)
      if (std::find(states.begin(), states.end(), job.state) != states.end())
        ids.push_back(id);
    if (ids.empty())
      return std::nullopt;
    const auto id = ids[below(ids.size())];
    return make(id, m.jobs.at(id));
  }

  fact queue_job(model& m) {
    const auto id = (m.jobs.empty() ? 0 : m.jobs.rbegin()->first) + 1 + static_cast<std::int64_t>(below(300));
    auto f = queued(id, "type " + std::to_string(below(3)), below(2) ? "" : "name " + std::to_string(below(30)));
    f.priority = static_cast<int>(below(4)) * 10;
    f.held = below(5) == 0;
    m.jobs[id] = {f.type, f.name, f.params, job_state::queued, f.priority, f.order_key, f.held, false, 0, {}, {}};
    m.last_order_key = std::max(m.last_order_key, f.order_key);
    return f;
  }
  std::optional<fact> start_batch(model& m) {
    return with(m, {job_state::queued}, [&](auto first, auto& head) -> fact {
      auto f = started(++m.last_batch, {});
      for (auto& [id, job] : m.jobs)
        if (id == first || (job.state == job_state::queued && job.type == head.type && f.jobs.size() < 3 && below(4) == 0)) {
          job.state = job_state::running;
          job.not_before.reset();
          job.attempts.push_back(m.last_batch);
          f.jobs.push_back(job_id{id});
          m.open_batches[m.last_batch].push_back(id);
        }
      return f;
    });
  }
  std::optional<fact> end_batch(model& m) {
    for (const auto& [id, running] : m.open_batches)
      if (running.empty()) {
        const batch_ended f{batch_id{id}, at(1)};
        m.open_batches.erase(id);
        return f;
      }
    return std::nullopt;
  }
  std::optional<fact> requeue(model& m) {
    if (m.open_batches.empty())
      return std::nullopt;
    const auto [batch, running] = *std::next(m.open_batches.begin(), static_cast<std::ptrdiff_t>(below(m.open_batches.size())));
    if (running.empty())
      return std::nullopt;
    batch_requeued f{batch_id{batch}, {}, "reason", at(1)};
    for (const auto id : running) {
      m.jobs.at(id).state = job_state::queued;
      m.jobs.at(id).attempts.pop_back();
      f.jobs.push_back(job_id{id});
    }
    m.open_batches.erase(batch);
    return f;
  }
  fact finish(model& m, std::int64_t id, model_job& job) {
    job.state = std::array{job_state::completed, job_state::failed, job_state::cancelled}.at(below(3));
    job.held = false;
    std::erase(m.open_batches.at(job.attempts.back()), id);
    return finished(id, job.attempts.back(), job.state);
  }
  fact end_attempt(model& m, std::int64_t id, model_job& job) {
    job.state = job_state::queued;
    job.retries = static_cast<int>(below(5));
    job.held = below(3) == 0;
    job.not_before = below(2) ? std::optional{at(static_cast<std::int64_t>(below(1000)))} : std::nullopt;
    std::erase(m.open_batches.at(job.attempts.back()), id);
    return attempt_ended{.id = job_id{id},
                         .batch = batch_id{job.attempts.back()},
                         .not_before = job.not_before,
                         .held = job.held,
                         .retries = job.retries,
                         .notes = {{note_kind::started, at(1)}, {note_kind::checkpoint, at(2), {{"path", "a"}}}},
                         .at = at(3)};
  }
  fact edit(std::int64_t id, model_job& job) {
    job_edited f{job_id{id}, {}, {}, at(1)};
    if (below(2))
      f.params = job.params = "{\"edited\":" + std::to_string(below(100)) + "}";
    if (below(2))
      f.name = job.name = below(3) ? "new name " + std::to_string(below(9)) : "";
    return f;
  }
  fact hold(std::int64_t id, model_job& job) {
    job.held = !job.held;
    if (!job.held)
      job.not_before.reset(); // a release ends the backoff too
    return job.held ? fact{job_held{job_id{id}, at(1)}} : fact{job_released{job_id{id}, at(1)}};
  }
  fact reorder(model& m, std::int64_t id, model_job& job) {
    job.priority = static_cast<int>(below(4)) * 10;
    job.order_key = static_cast<std::int64_t>(below(1'000'000)) - 500'000;
    m.last_order_key = std::max(m.last_order_key, job.order_key);
    return job_reordered{job_id{id}, job.priority, job.order_key, at(1)};
  }
  fact retry(model& m, std::int64_t id, model_job& job) {
    job.state = job_state::queued;
    job.held = job.cleared = false;
    job.retries = 0;
    job.not_before.reset();
    job.order_key = ++m.last_order_key;
    return job_retried{job_id{id}, job.order_key, at(1)};
  }

  std::mt19937 random_;
};

void compare_queue(const model& m, job_store& store) {
  std::vector<std::int64_t> expected, found;
  std::array<std::int64_t, all_job_states.size()> counts{};
  for (const auto& [id, job] : m.jobs) {
    ++counts.at(static_cast<std::size_t>(job.state));
    if (job.state == job_state::queued)
      expected.push_back(id);
  }
  const auto key = [&](std::int64_t id) {
    const auto& job = m.jobs.at(id);
    return std::tuple{job.held, -job.priority, job.order_key, id};
  };
  std::sort(expected.begin(), expected.end(), [&](auto a, auto b) { return key(a) < key(b); });
  const auto restored = must(store.restore([&](const live_job& job) {
    found.push_back(job.id.value);
    const auto& known = m.jobs.at(job.id.value);
    REQUIRE(std::tuple{std::string(job.type), job.priority, job.order_key, job.held, job.attempts, job.retries, job.not_before} ==
            std::tuple{known.type, known.priority, known.order_key, known.held, static_cast<int>(known.attempts.size()),
                       known.retries, known.not_before});
  }));
  REQUIRE(found == expected);
  REQUIRE(restored.completed == counts[2]);
  REQUIRE(restored.failed == counts[3]);
  REQUIRE(restored.cancelled == counts[4]);
  REQUIRE(restored.paused == m.paused);
  REQUIRE(restored.last_batch.value == m.last_batch);
  REQUIRE(restored.last_order_key == m.last_order_key);
  REQUIRE(restored.last_job.value == (m.jobs.empty() ? 0 : m.jobs.rbegin()->first));
  std::map<std::int64_t, std::vector<std::int64_t>> running;
  for (const auto& batch : restored.running) {
    auto& members = running[batch.id.value];
    for (const auto& member : batch.jobs)
      members.push_back(member.id.value);
  }
  auto open = m.open_batches;
  for (auto& [batch, members] : open)
    std::sort(members.begin(), members.end());
  REQUIRE(running == open);
}

void compare_lists(const model& m, job_reader& reader, story& dice) {
  for (const auto& [id, known] : m.jobs) {
    const auto job = must(reader.find(job_id{id}));
    REQUIRE(std::tuple{job.type, job.name, job.state, job.priority, job.held, job.cleared.has_value(), job.params} ==
            std::tuple{known.type, known.name, known.state, known.priority, known.held, known.cleared, json::parse(known.params)});
    REQUIRE(job.batch.value == (known.attempts.empty() ? 0 : known.attempts.back()));
    REQUIRE(job.why_failed.has_value() == (known.state == job_state::failed));
    REQUIRE(job.finished.has_value() == is_finished(known.state));
  }
  for (int n = 0; n < 40; ++n) {
    job_filter filter{.type = dice.below(2) ? "" : "type " + std::to_string(dice.below(4)),
                      .name_contains =
                          dice.below(2) ? "" : std::vector<std::string>{"name", "NAME 1", "e 2", "zz"}.at(dice.below(4)),
                      .with_cleared = dice.below(2) == 0,
                      .limit = 1 + dice.below(60)};
    for (const auto state : all_job_states)
      if (dice.below(3) == 0)
        filter.states.push_back(state);
    if (dice.below(2) && !m.jobs.empty())
      filter.before = job_id{1 + static_cast<std::int64_t>(dice.below(static_cast<std::size_t>(m.jobs.rbegin()->first)))};
    std::string part = filter.name_contains;
    std::transform(part.begin(), part.end(), part.begin(), [](char c) { return static_cast<char>(std::tolower(c)); });
    std::vector<std::int64_t> expected;
    for (auto job = m.jobs.rbegin(); job != m.jobs.rend() && expected.size() < filter.limit; ++job) {
      const auto& [id, known] = *job;
      const bool in_states =
          filter.states.empty() || std::find(filter.states.begin(), filter.states.end(), known.state) != filter.states.end();
      if (in_states && (filter.type.empty() || filter.type == known.type) && known.name.find(part) != std::string::npos &&
          (filter.with_cleared || !known.cleared) && (filter.before.is_none() || id < filter.before.value))
        expected.push_back(id);
    }
    REQUIRE(ids_of(must(reader.page(filter)).jobs) == expected);
  }
}

void tell_story(unsigned seed) {
  INFO("seed " << seed);
  story dice(seed);
  const temporary_folder folder;
  auto store = open_store(folder.path());
  model kept;
  for (int round = 0; round < 60; ++round) {
    model now = kept;
    for (std::size_t groups = 1 + dice.below(3); groups > 0; --groups) {
      model after = now;
      std::vector<fact> facts;
      for (std::size_t n = dice.below(20); n > 0; --n)
        if (const auto f = dice.next(after))
          facts.push_back(*f);
      if (dice.below(4) == 0) { // a group that fails at its end leaves no trace
        facts.push_back(finished(1'000'000, 0, job_state::cancelled));
        REQUIRE_FALSE(store->apply(facts));
      } else {
        must(store->apply(facts));
        now = std::move(after);
      }
    }
    if (dice.below(5) == 0) { // the daemon dies before it commits
      store.reset();
      store = open_store(folder.path());
    } else {
      must(store->commit());
      kept = std::move(now);
    }
    compare_queue(kept, *store);
  }
  compare_lists(kept, *open_reader(folder.path()), dice);
  store.reset();
  store = must(job_store::open(folder.path(), config::durability::full, true));
  compare_queue(kept, *store);
}

} // namespace

TEST_CASE("random facts leave in the store what they leave in a plain model") {
  for (const unsigned seed : {1u, 2u, 3u, 20260131u, 777u, 31337u})
    tell_story(seed);
}
