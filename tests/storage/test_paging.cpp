#include "storage_support.hpp"

using namespace ferry;
using namespace ferry::storage;
using namespace ferry::storage::test;

TEST_CASE("pages go from the newest job down and continue below an id") {
  const temporary_folder folder;
  const auto store = open_store(folder.path());
  std::vector<fact> facts;
  for (std::int64_t id = 1; id <= 20; ++id)
    facts.push_back(queued(id, id % 2 ? "upscale" : "inference"));
  store_facts(*store, facts);
  store_facts(*store,
              {finished(4, 0, job_state::cancelled), started(1, {6, 8}), finished(6, 1, job_state::failed),
               finished(10, 0, job_state::cancelled), jobs_cleared{{job_id{10}}, at(1)}, jobs_cleared{{job_id{10}}, at(2)}});
  const auto reader = open_reader(folder.path());
  const auto ids = [&](const job_filter& filter) { return ids_of(must(reader->page(filter)).jobs); };
  using enum job_state;
  CHECK(ids({.limit = 3}) == std::vector<std::int64_t>{20, 19, 18});
  CHECK(ids({.before = job_id{18}, .limit = 2}) == std::vector<std::int64_t>{17, 16});
  CHECK(ids({.before = job_id{3}}) == std::vector<std::int64_t>{2, 1});
  CHECK(ids({.before = job_id{1}}).empty());
  CHECK(ids({.before = job_id{12}, .limit = 2}) == std::vector<std::int64_t>{11, 9});
  CHECK(ids({.with_cleared = true, .before = job_id{12}, .limit = 2}) == std::vector<std::int64_t>{11, 10});
  CHECK(ids({.states = {failed, cancelled}}) == std::vector<std::int64_t>{6, 4});
  CHECK(ids({.states = {failed, cancelled}, .with_cleared = true}) == std::vector<std::int64_t>{10, 6, 4});
  CHECK(ids({.states = {running}}) == std::vector<std::int64_t>{8});
  CHECK(ids({.states = {queued}, .type = "inference", .limit = 3}) == std::vector<std::int64_t>{20, 18, 16});
  CHECK(ids({.states = {failed}, .type = "upscale"}).empty());
  CHECK(ids({.type = "no such type"}).empty());
  CHECK(ids({.limit = 0}).empty());
}

TEST_CASE("a search that finds little ends its page early, and going on from there misses nothing") {
  const temporary_folder folder;
  const auto store = open_store(folder.path());
  std::vector<fact> facts;
  for (std::int64_t id = 1; id <= 3'000; ++id)
    facts.push_back(queued(id, "upscale", id % 2 || id == 40 || id == 2'000 ? "wanted" : "other"));
  for (std::int64_t id = 2; id <= 3'000; id += 2)
    facts.push_back(finished(id, 0, job_state::cancelled));
  store_facts(*store, facts);
  const auto reader = open_reader(folder.path());
  job_filter filter{.states = {job_state::cancelled}, .name_contains = "wanted", .limit = 50, .rows_searched_max = 500};
  std::vector<std::int64_t> found;
  int pages = 0;
  while (true) {
    const auto page = must(reader->page(filter));
    ++pages;
    for (const auto id : ids_of(page.jobs))
      found.push_back(id);
    if (!page.next_before)
      break;
    REQUIRE((filter.before.is_none() || *page.next_before < filter.before));
    filter.before = *page.next_before;
  }
  CHECK(found == std::vector<std::int64_t>{2'000, 40});
  CHECK(pages > 3);
}

TEST_CASE("clearable names finished jobs that are still listed, oldest first") {
  const temporary_folder folder;
  const auto store = open_store(folder.path());
  const auto reader = open_reader(folder.path());
  store_facts(*store,
              {queued(1), queued(2, "inference"), queued(3), queued(4, "inference"), queued(5), started(1, {1, 5}),
               finished(5, 1, job_state::failed), finished(4, 0, job_state::cancelled), finished(3, 0, job_state::cancelled)});
  const auto ids = [&](const std::vector<job_state>& states, std::size_t limit) {
    return must(reader->clearable({.states = states}, limit));
  };
  CHECK(ids({}, 10) == std::vector{job_id{3}, job_id{4}, job_id{5}});
  CHECK(ids({}, 2) == std::vector{job_id{3}, job_id{4}});
  CHECK(ids({job_state::failed, job_state::running}, 10) == std::vector{job_id{5}});
  store_facts(*store, {jobs_cleared{{job_id{3}, job_id{5}}, at(1)}});
  CHECK(ids({}, 10) == std::vector{job_id{4}});
  CHECK(must(reader->find(job_id{3})).cleared == at(1));
}
