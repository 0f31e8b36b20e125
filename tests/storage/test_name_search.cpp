#include "storage_support.hpp"

using namespace ferry;
using namespace ferry::storage;
using namespace ferry::storage::test;

namespace {

struct named_jobs {
  temporary_folder folder;
  std::unique_ptr<job_store> store = open_store(folder.path());
  std::unique_ptr<job_reader> reader = open_reader(folder.path());

  void add(std::int64_t first, std::int64_t last, const std::function<std::string(std::int64_t)>& name) {
    std::vector<fact> facts;
    for (auto id = first; id <= last; ++id)
      facts.push_back(queued(id, id % 2 ? "upscale" : "inference", name(id)));
    store_facts(*store, facts);
  }
  std::vector<std::int64_t> find(const std::string& part, job_filter filter = {}) {
    filter.name_contains = part;
    return ids_of(must(reader->page(filter)).jobs);
  }
};

} // namespace

TEST_CASE("a part of a name is found in full blocks and in the newest one") {
  named_jobs jobs;
  jobs.add(1, 5'000, [](std::int64_t id) { return "Clip " + std::to_string(id); });
  CHECK(jobs.find("clip 5000") == std::vector<std::int64_t>{5'000});
  CHECK(jobs.find("CLIP 499", {.limit = 3}) == std::vector<std::int64_t>{4'999, 4'998, 4'997});
  CHECK(jobs.find("p 1024") == std::vector<std::int64_t>{1'024});
  CHECK(jobs.find("p 1023") == std::vector<std::int64_t>{1'023});
  CHECK(jobs.find("clip 499") ==
        std::vector<std::int64_t>{4'999, 4'998, 4'997, 4'996, 4'995, 4'994, 4'993, 4'992, 4'991, 4'990, 499});
  CHECK(jobs.find("clip", {.type = "upscale", .before = job_id{1'026}, .limit = 3}) ==
        std::vector<std::int64_t>{1'025, 1'023, 1'021});
  CHECK(jobs.find("clip 1", {.before = job_id{3}}) == std::vector<std::int64_t>{1});
  CHECK(jobs.find("nothing").empty());
}

TEST_CASE("a match never spans two names") {
  named_jobs jobs;
  jobs.add(1, 2'000, [](std::int64_t id) { return id % 2 ? "ab" : "cd"; });
  CHECK(jobs.find("bc").empty());
  CHECK(jobs.find("da").empty());
  CHECK(jobs.find("ab", {.limit = 2}) == std::vector<std::int64_t>{1'999, 1'997});
  jobs.add(2'001, 4'000, [](std::int64_t) { return "aaa"; });
  CHECK(jobs.find("aaa", {.before = job_id{2'003}}) == std::vector<std::int64_t>{2'002, 2'001});
  CHECK(jobs.find("aaaa").empty());
}

TEST_CASE("jobs without a name and gaps between ids are skipped") {
  named_jobs jobs;
  jobs.add(1, 1, [](std::int64_t) { return "first"; });
  jobs.add(9'000, 9'100, [](std::int64_t) { return ""; });
  jobs.add(50'000, 50'000, [](std::int64_t) { return "First again"; });
  jobs.add(60'000, 60'000, [](std::int64_t) { return ""; });
  CHECK(jobs.find("first") == std::vector<std::int64_t>{50'000, 1});
}

TEST_CASE("renamed jobs are found by their new name only, wherever they are") {
  named_jobs jobs;
  jobs.add(1, 3'000, [](std::int64_t) { return "old"; });
  for (const std::int64_t id : {5, 1'500, 2'999})
    store_facts(*jobs.store, {job_edited{job_id{id}, {}, "Neu ä", at(1)}});
  store_facts(*jobs.store, {job_edited{job_id{6}, {}, "", at(1)}});
  CHECK(jobs.find("neu ä") == std::vector<std::int64_t>{2'999, 1'500, 5});
  CHECK(jobs.find("old", {.before = job_id{8}}) == std::vector<std::int64_t>{7, 4, 3, 2, 1});
}

TEST_CASE("a rename that is undone leaves the old name to be found") {
  named_jobs jobs;
  jobs.add(1, 3'000, [](std::int64_t) { return "old"; });
  REQUIRE_FALSE(jobs.store->apply({job_edited{job_id{5}, {}, "new", at(1)}, queued(1)}));
  must(jobs.store->commit());
  CHECK(jobs.find("new").empty());
  CHECK(jobs.find("old", {.before = job_id{6}, .limit = 1}) == std::vector<std::int64_t>{5});
}

TEST_CASE("names are searched together with states") {
  named_jobs jobs;
  jobs.add(1, 6'000, [](std::int64_t id) { return id % 3 ? "frame" : "still"; });
  for (const std::int64_t id : {3, 4, 1'200, 5'001, 5'002})
    store_facts(*jobs.store, {finished(id, 0, job_state::cancelled)});
  CHECK(jobs.find("still", {.states = {job_state::cancelled}}) == std::vector<std::int64_t>{5'001, 1'200, 3});
  CHECK(jobs.find("frame", {.states = {job_state::cancelled}, .type = "inference"}) == std::vector<std::int64_t>{5'002, 4});
  store_facts(*jobs.store, {jobs_cleared{{job_id{1'200}}, at(1)}});
  CHECK(jobs.find("still", {.states = {job_state::cancelled}}) == std::vector<std::int64_t>{5'001, 3});
  CHECK(jobs.find("still", {.states = {job_state::cancelled}, .with_cleared = true}) == std::vector<std::int64_t>{5'001, 1'200, 3});
}
