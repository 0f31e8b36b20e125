// Jobs that need others, as the store keeps them.
#include "storage_support.hpp"

#include <map>

using namespace ferry;
using namespace ferry::storage;
using namespace ferry::storage::test;

namespace {

job_queued needing(std::int64_t id, const std::vector<std::int64_t>& needs, needs_rule rule = needs_rule::hold) {
  auto f = queued(id);
  for (const auto needed : needs)
    f.needs.push_back(job_id{needed});
  f.on_needs_failure = rule;
  return f;
}

struct found_needs {
  std::optional<needs_rule> rule;
  std::vector<scheduling::needed_job> needs;
  friend bool operator==(const found_needs&, const found_needs&) = default;
};

std::map<std::int64_t, found_needs> restored_needs(const std::filesystem::path& folder) {
  std::map<std::int64_t, found_needs> found;
  const auto store = open_store(folder);
  must(store->restore([&](const live_job& job) {
    found[job.id.value] = {job.on_needs_failure, {job.needs.begin(), job.needs.end()}};
  }));
  return found;
}

} // namespace

TEST_CASE("a queue is restored with what its jobs need, and what became of that") {
  const temporary_folder folder;
  store_facts(*open_store(folder.path()),
              {queued(1), queued(2), queued(3), queued(4), needing(5, {1, 2, 3}, needs_rule::cancel),
               needing(6, {4}, needs_rule::start), started(1, {1, 2, 4}), finished(1, 1), finished(2, 1, job_state::failed)});
  const auto found = restored_needs(folder.path());
  CHECK(found.at(3) == found_needs{});
  CHECK(found.at(5) ==
        found_needs{needs_rule::cancel, {{job_id{1}, job_state::completed}, {job_id{2}, job_state::failed}, {job_id{3}}}});
  CHECK(found.at(6) == found_needs{needs_rule::start, {{job_id{4}}}}); // running is not ended
}

TEST_CASE("a released job may drop what it needs, a retried one keeps it") {
  const temporary_folder folder;
  const auto store = open_store(folder.path());
  store_facts(*store, {queued(1), needing(2, {1}), needing(3, {1}), finished(1, 0, job_state::cancelled),
                       job_released{job_id{2}, at(1), true}, job_released{job_id{3}, at(1)}, finished(3, 0, job_state::cancelled),
                       job_retried{job_id{3}, 99, at(2)}});
  const auto found = [&] {
    std::map<std::int64_t, std::size_t> counts;
    must(store->restore([&](const live_job& job) { counts[job.id.value] = job.needs.size(); }));
    return counts;
  }();
  CHECK(found == std::map<std::int64_t, std::size_t>{{2, 0}, {3, 1}});
  const auto reader = open_reader(folder.path());
  CHECK(must(reader->find(job_id{2})).needs.empty());
  CHECK_FALSE(must(reader->find(job_id{2})).on_needs_failure);
  const auto kept = must(reader->find(job_id{3}));
  CHECK(kept.needs == std::vector{job_id{1}});
  CHECK(kept.on_needs_failure == needs_rule::hold);
}

TEST_CASE("clearing a needed job leaves what needs it as it is") {
  const temporary_folder folder;
  store_facts(*open_store(folder.path()),
              {queued(1), needing(2, {1}), started(1, {1}), finished(1, 1), jobs_cleared{{job_id{1}}, at(9)}});
  CHECK(restored_needs(folder.path()).at(2).needs == std::vector{scheduling::needed_job{job_id{1}, job_state::completed}});
  CHECK(must(open_reader(folder.path())->find(job_id{2})).needs == std::vector{job_id{1}});
}

TEST_CASE("a need that does not exist is not stored, nor is its job") {
  const temporary_folder folder;
  const auto store = open_store(folder.path());
  CHECK_FALSE(store->apply({needing(2, {1})}));
  must(store->commit());
  CHECK(ask_sql(folder.path(), "SELECT (SELECT count(*) FROM jobs) + (SELECT count(*) FROM job_needs)") == 0);
}

TEST_CASE("why a job was cancelled that needed another is kept") {
  const temporary_folder folder;
  auto end = finished(2, 0, job_state::cancelled);
  end.why_failed = failure{failure_kind::needs, "job 1, which it needs, failed"};
  store_facts(*open_store(folder.path()), {queued(1), needing(2, {1}, needs_rule::cancel), end});
  CHECK(must(open_reader(folder.path())->find(job_id{2})).why_failed == end.why_failed);
}
