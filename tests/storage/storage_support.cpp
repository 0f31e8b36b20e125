#include "storage_support.hpp"

#include <SQLiteCpp/Database.h>
#include <cstdlib>
#include <sqlite3.h>

namespace ferry::storage::test {
namespace {

sqlite3* last_connection = nullptr;

int remember_connection(sqlite3* connection, const char**, const void*) {
  last_connection = connection;
  return SQLITE_OK;
}

} // namespace

connection_watch::connection_watch() {
  last_connection = nullptr;
  sqlite3_auto_extension(reinterpret_cast<void (*)()>(remember_connection));
}

connection_watch::~connection_watch() { sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(remember_connection)); }

std::int64_t connection_watch::ask(const std::string& sql) const {
  REQUIRE(last_connection != nullptr);
  sqlite3_stmt* statement = nullptr;
  REQUIRE(sqlite3_prepare_v2(last_connection, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK);
  CHECK(sqlite3_step(statement) == SQLITE_ROW);
  const auto answer = sqlite3_column_int64(statement, 0);
  sqlite3_finalize(statement);
  return answer;
}

void connection_watch::tell(const std::string& sql) const {
  REQUIRE(last_connection != nullptr);
  REQUIRE(sqlite3_exec(last_connection, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
}

std::string connection_watch::rows(const std::string& sql) const {
  REQUIRE(last_connection != nullptr);
  std::string text;
  const auto append = [](void* to, int columns, char** values, char**) {
    for (int n = 0; n < columns; ++n)
      static_cast<std::string*>(to)->append("|").append(values[n] ? values[n] : "-");
    static_cast<std::string*>(to)->append("\n");
    return SQLITE_OK;
  };
  REQUIRE(sqlite3_exec(last_connection, sql.c_str(), append, &text, nullptr) == SQLITE_OK);
  return text;
}

temporary_folder::temporary_folder(const std::filesystem::path& parent) {
  std::string pattern = (parent / "ferry-storage-XXXXXX").string();
  REQUIRE(::mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

temporary_folder::~temporary_folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::unique_ptr<job_store> open_store(const std::filesystem::path& folder) {
  return must(job_store::open(folder, config::durability::full, false));
}

std::unique_ptr<job_reader> open_reader(const std::filesystem::path& folder) { return must(job_reader::open(folder)); }

error open_error(const std::filesystem::path& folder, bool full_check) {
  const auto opened = job_store::open(folder, config::durability::full, full_check);
  REQUIRE_FALSE(opened.has_value());
  return opened.error();
}

void store_facts(job_store& store, const std::vector<fact>& facts, const submission& from) {
  must(store.apply(facts, from));
  must(store.commit());
}

instant at(std::int64_t seconds) { return from_unix_ms(1'700'000'000'000 + seconds * 1000); }

job_queued queued(std::int64_t id, std::string type, std::string name) {
  return {.id = job_id{id},
          .type = std::move(type),
          .params = R"({"id":)" + std::to_string(id) + "}",
          .name = std::move(name),
          .priority = 50,
          .order_key = id * 1024,
          .held = false,
          .at = at(id)};
}

batch_started started(std::int64_t batch, std::vector<std::int64_t> jobs) {
  batch_started f{.id = batch_id{batch}, .jobs = {}, .device = "cpu", .at = at(1000 + batch)};
  for (const auto id : jobs)
    f.jobs.push_back(job_id{id});
  return f;
}

job_finished finished(std::int64_t id, std::int64_t batch, job_state state) {
  job_finished f{.id = job_id{id}, .batch = batch_id{batch}, .state = state, .why_failed = {}, .result = {}, .at = at(2000 + id)};
  if (state == job_state::completed)
    f.result = R"({"artifacts":[]})";
  if (state == job_state::failed)
    f.why_failed = failure{failure_kind::exit_status, "ended with status 3", 3, {}};
  return f;
}

std::vector<std::int64_t> ids_of(const std::vector<job_record>& jobs) {
  std::vector<std::int64_t> ids;
  for (const auto& job : jobs)
    ids.push_back(job.id.value);
  return ids;
}

void run_sql(const std::filesystem::path& folder, const std::string& sql) {
  SQLite::Database database((folder / "ferry.db").string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  database.exec(sql);
}

std::int64_t ask_sql(const std::filesystem::path& folder, const std::string& sql) {
  SQLite::Database database((folder / "ferry.db").string(), SQLite::OPEN_READWRITE);
  return database.execAndGet(sql).getInt64();
}

} // namespace ferry::storage::test
