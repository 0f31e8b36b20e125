// Whose jobs are, and since when they count as waiting, as the store keeps it.
#include "storage_support.hpp"

#include <fstream>
#include <map>
#include <sstream>

using namespace ferry;
using namespace ferry::storage;
using namespace ferry::storage::test;

namespace {

job_queued of_user(std::int64_t id, const std::string& user, std::optional<instant> waits_since = {}) {
  auto f = queued(id);
  f.user = user;
  f.waits_since = waits_since;
  return f;
}

std::map<std::int64_t, std::string> users_of_queued(job_store& store) {
  std::map<std::int64_t, std::string> users;
  must(store.restore([&](const live_job& job) { users[job.id.value] = job.user; }));
  return users;
}

} // namespace

TEST_CASE("a queue is restored with whose jobs are, and since when they count as waiting") {
  const temporary_folder folder;
  store_facts(*open_store(folder.path()), {of_user(1, "ada"), of_user(2, "ben", at(-500)), of_user(3, ""), of_user(4, "ada"),
                                           started(1, {1}), started(2, {4}), finished(4, 2, job_state::failed),
                                           batch_ended{batch_id{2}, at(40)}, job_retried{job_id{4}, 9, at(50), false, at(20)}});
  const auto store = open_store(folder.path());
  std::map<std::int64_t, instant> since;
  const auto restored = must(store->restore([&](const live_job& job) { since[job.id.value] = job.waits_since; }));
  CHECK(users_of_queued(*store) == std::map<std::int64_t, std::string>{{2, "ben"}, {3, ""}, {4, "ada"}});
  CHECK(since.at(2) == at(-500));
  CHECK(since.at(3) == queued(3).at);
  CHECK(since.at(4) == at(20));
  REQUIRE(restored.running.size() == 1);
  CHECK(restored.running[0].jobs.at(0).user == "ada");
  const auto reader = open_reader(folder.path());
  CHECK(must(reader->find(job_id{1})).user == "ada");
  CHECK(must(reader->find(job_id{3})).user.empty());
  CHECK(must(reader->page({})).jobs.at(0).user == "ada");
}

TEST_CASE("P10: jobs of a store that knew no users belong to nobody, and new ones to theirs") {
  const temporary_folder folder;
  std::ifstream input(std::filesystem::path(FERRY_FIXTURES) / "schema_v6.sql");
  std::stringstream text;
  text << input.rdbuf();
  run_sql(folder.path(), text.str());
  const auto store = open_store(folder.path());
  store_facts(*store, {of_user(8, "ada")});
  CHECK(users_of_queued(*store) == std::map<std::int64_t, std::string>{{1, ""}, {2, ""}, {5, ""}, {6, ""}, {8, "ada"}});
}
