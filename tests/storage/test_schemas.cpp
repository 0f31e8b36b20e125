#include "storage_support.hpp"

#include "storage/schema.hpp"

#include <fstream>
#include <sstream>

using namespace ferry;
using namespace ferry::storage;
using namespace ferry::storage::test;

namespace {

std::string text_of(const std::filesystem::path& file) {
  std::ifstream input(file);
  REQUIRE(input.good());
  std::stringstream text;
  text << input.rdbuf();
  return text.str();
}

} // namespace

TEST_CASE("P10: every schema version ever shipped opens with its jobs") {
  for (int version = 1; version <= schema_version(); ++version) {
    CAPTURE(version);
    const temporary_folder folder;
    const auto fixture = std::filesystem::path(FERRY_FIXTURES) / ("schema_v" + std::to_string(version) + ".sql");
    run_sql(folder.path(), text_of(fixture));
    REQUIRE(ask_sql(folder.path(), "PRAGMA user_version") == version);
    const auto store = must(job_store::open(folder.path(), config::durability::full, true));
    CHECK(ask_sql(folder.path(), "PRAGMA user_version") == schema_version());
    std::vector<std::int64_t> live;
    const auto restored = must(store->restore([&](const live_job& job) { live.push_back(job.id.value); }));
    CHECK(live == std::vector<std::int64_t>{5, 1, 6, 2});
    CHECK(restored.last_job == job_id{7});
    CHECK(restored.last_batch == batch_id{4});
    CHECK(restored.paused);
    CHECK(restored.completed == 1);
    CHECK(restored.failed == 1);
    REQUIRE(restored.running.size() == 1);
    CHECK(restored.running.front().id == batch_id{4});
    const auto reader = open_reader(folder.path());
    CHECK(ids_of(must(reader->page({})).jobs) == std::vector<std::int64_t>{7, 6, 5, 4, 2, 1});
    const auto failed = must(reader->find(job_id{4}));
    CHECK(failed.why_failed == failure{failure_kind::signal, "was ended by signal 11", {}, 11});
    CHECK(failed.params == json{{"source", "clip.mpg"}});
    CHECK(must(reader->history(job_id{3})).size() == 4);
    CHECK(must(store->apply({queued(8)}, {"fixture-key", "fixture-digest"})).already_submitted ==
          std::vector{job_id{1}, job_id{2}});
    must(store->commit());
    store_facts(*store, {queued(8)});
  }
}

TEST_CASE("the newest fixture has exactly the schema that a new store gets") {
  const auto schema_of = [](const std::filesystem::path& folder) {
    return ask_sql(folder, "SELECT count(*) FROM sqlite_schema WHERE sql IS NOT NULL");
  };
  const temporary_folder from_fixture, fresh;
  run_sql(from_fixture.path(),
          text_of(std::filesystem::path(FERRY_FIXTURES) / ("schema_v" + std::to_string(schema_version()) + ".sql")));
  (void)open_store(fresh.path());
  run_sql(fresh.path(),
          "ATTACH '" + (from_fixture.path() / "ferry.db").string() +
              "' AS fixture; CREATE TABLE difference AS SELECT name, sql FROM main.sqlite_schema WHERE sql IS NOT NULL "
              "EXCEPT SELECT name, sql FROM fixture.sqlite_schema");
  CHECK(schema_of(from_fixture.path()) == schema_of(fresh.path()) - 1);
  CHECK(ask_sql(fresh.path(), "SELECT count(*) FROM difference") == 0);
}
