#include "storage_support.hpp"

#include "storage/schema.hpp"

#include <catch2/generators/catch_generators.hpp>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

using namespace ferry;
using namespace ferry::storage;
using namespace ferry::storage::test;

namespace {

unsigned mode_of(const std::filesystem::path& file) {
  struct stat found {};
  REQUIRE(::stat(file.c_str(), &found) == 0);
  return found.st_mode & 0777u;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// A store with enough jobs to fill many pages, closed again.
void fill(const std::filesystem::path& folder) {
  const auto store = open_store(folder);
  std::vector<fact> facts;
  for (std::int64_t id = 1; id <= 2'000; ++id)
    facts.push_back(queued(id));
  store_facts(*store, facts);
}

void overwrite(const std::filesystem::path& file, std::streamoff from, std::size_t size) {
  std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
  bytes.seekp(from);
  bytes << std::string(size, '\x5a');
  REQUIRE(bytes.good());
}

} // namespace

TEST_CASE("a new data directory is its owner's alone") {
  const temporary_folder folder;
  const auto data_dir = folder.path() / "deeper" / "ferry";
  const auto store = open_store(data_dir);
  store_facts(*store, {queued(1)});
  CHECK(mode_of(data_dir) == 0700);
  for (const char* file : {"ferry.db", "ferry.db-wal", "ferry.db-shm", "ferry.lock"})
    CHECK(mode_of(data_dir / file) == 0600);
}

TEST_CASE("a data directory has one owner, whose pid the second one is told") {
  const temporary_folder folder;
  auto store = open_store(folder.path());
  const auto refused = open_error(folder.path());
  CHECK(refused.code == error_code::locked);
  CHECK(contains(refused.what, "pid " + std::to_string(::getpid())));
  CHECK(contains(refused.what, folder.path().string()));
  store.reset();
  CHECK(open_store(folder.path()) != nullptr);
}

TEST_CASE("a data directory that cannot be made is an io error that names it") {
  const temporary_folder folder;
  std::ofstream(folder.path() / "file") << "x";
  const auto refused = open_error(folder.path() / "file");
  CHECK(refused.code == error_code::io);
  CHECK(contains(refused.what, (folder.path() / "file").string()));
  CHECK(open_error(folder.path() / "file" / "below").code == error_code::io);
}

TEST_CASE("a file that is no database is told apart and left as it is") {
  const temporary_folder folder;
  const std::string text = "This is not a database, but a text that someone put here by mistake. " + std::string(5'000, '.');
  std::ofstream(folder.path() / "ferry.db") << text;
  const auto refused = open_error(folder.path());
  CHECK(refused.code == error_code::damaged);
  CHECK(contains(refused.hint, "backup"));
  CHECK(contains(refused.hint, "integrity_check"));
  std::ifstream file(folder.path() / "ferry.db");
  CHECK(std::string(std::istreambuf_iterator<char>(file), {}) == text);
}

TEST_CASE("a truncated database is damaged") {
  const temporary_folder folder;
  fill(folder.path());
  std::filesystem::resize_file(folder.path() / "ferry.db", 20'480);
  CHECK(open_error(folder.path()).code == error_code::damaged);
}

TEST_CASE("overwritten pages at the front of a database are damage") {
  const temporary_folder folder;
  fill(folder.path());
  overwrite(folder.path() / "ferry.db", 4'096, 10 * 4'096);
  CHECK(open_error(folder.path()).code == error_code::damaged);
}

TEST_CASE("damage in the middle is found by the full check, and reported when it is met without one") {
  const temporary_folder folder;
  fill(folder.path());
  const auto size = static_cast<std::streamoff>(std::filesystem::file_size(folder.path() / "ferry.db"));
  overwrite(folder.path() / "ferry.db", size / 2 / 4'096 * 4'096, 8 * 4'096);
  CHECK(open_error(folder.path(), true).code == error_code::damaged);

  const auto store = job_store::open(folder.path(), config::durability::full, false);
  if (!store) {
    CHECK(store.error().code == error_code::damaged);
    return;
  }
  std::vector<job_id> all;
  for (std::int64_t id = 1; id <= 2'000; ++id)
    all.push_back(job_id{id});
  const auto restored = (*store)->restore([](const live_job&) {});
  const auto params = (*store)->read_starts(all);
  REQUIRE_FALSE((restored && params));
  CHECK((restored ? params.error() : restored.error()).code == error_code::damaged);
}

TEST_CASE("a database without one of ferry's tables or indices is damaged") {
  const temporary_folder folder;
  fill(folder.path());
  SECTION("table") { run_sql(folder.path(), "DROP TABLE job_outcomes"); }
  SECTION("index") { run_sql(folder.path(), "DROP INDEX jobs_waiting"); }
  SECTION("counters") { run_sql(folder.path(), "DELETE FROM queue_totals"); }
  CHECK(open_error(folder.path()).code == error_code::damaged);
}

TEST_CASE("rows that refer to nothing are found by the full check") {
  const temporary_folder folder;
  fill(folder.path());
  run_sql(folder.path(), "PRAGMA foreign_keys = OFF; DELETE FROM jobs WHERE id = 5");
  CHECK(open_error(folder.path(), true).code == error_code::damaged);
}

TEST_CASE("another program's database is not touched") {
  const temporary_folder folder;
  run_sql(folder.path(), "CREATE TABLE recipes (name TEXT); PRAGMA user_version = 1");
  CHECK(open_error(folder.path()).code == error_code::damaged);
  CHECK(ask_sql(folder.path(), "SELECT count(*) FROM sqlite_schema") == 1);
}

TEST_CASE("a newer schema is told apart, with both versions named") {
  const temporary_folder folder;
  fill(folder.path());
  run_sql(folder.path(), "PRAGMA user_version = 4711");
  const auto refused = open_error(folder.path());
  CHECK(refused.code == error_code::newer_version);
  CHECK(contains(refused.what, "4711"));
  CHECK(contains(refused.what, "up to " + std::to_string(schema_version())));
  const auto reader = job_reader::open(folder.path());
  REQUIRE_FALSE(reader);
  CHECK(reader.error().code == error_code::newer_version);
}

TEST_CASE("a reader needs a store that was made before") {
  const temporary_folder folder;
  const auto reader = job_reader::open(folder.path());
  REQUIRE_FALSE(reader);
  CHECK(reader.error().code == error_code::not_found);
}

TEST_CASE("the writer's connection has the settings that ferry's promises rest on") {
  const temporary_folder folder;
  const connection_watch watch;
  const auto durability = GENERATE(config::durability::full, config::durability::normal);
  const auto store = must(job_store::open(folder.path(), durability, false));
  CHECK(watch.ask("PRAGMA synchronous") == (durability == config::durability::full ? 2 : 1));
  CHECK(watch.ask("PRAGMA foreign_keys") == 1);
  CHECK(watch.ask("PRAGMA cache_size") == -4096);
  CHECK(watch.ask("PRAGMA journal_size_limit") == 16 * 1024 * 1024);
  CHECK(watch.ask("SELECT journal_mode = 'wal' FROM pragma_journal_mode") == 1);
}
