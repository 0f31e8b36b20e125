// What the storage tests share: a folder that goes with the test, stores and readers that must open, and short ways to write facts.
#pragma once

#include "storage/job_reader.hpp"
#include "storage/job_store.hpp"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace ferry::storage::test {

class temporary_folder {
public:
  explicit temporary_folder(const std::filesystem::path& parent = std::filesystem::temp_directory_path());
  ~temporary_folder();
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
  std::filesystem::path path_;
};

// The value, or a failed test that shows the error.
template <class T>
T must(result<T> r) {
  if (!r)
    FAIL(to_string(r.error()));
  if constexpr (!std::is_void_v<T>)
    return std::move(*r);
}

[[nodiscard]] std::unique_ptr<job_store> open_store(const std::filesystem::path& folder);
[[nodiscard]] std::unique_ptr<job_reader> open_reader(const std::filesystem::path& folder);
// The code of the error of opening, which must fail.
[[nodiscard]] error open_error(const std::filesystem::path& folder, bool full_check = false);

// Applies and commits.
void store_facts(job_store& store, const std::vector<fact>& facts, const submission& from = {});

[[nodiscard]] instant at(std::int64_t seconds);
[[nodiscard]] job_queued queued(std::int64_t id, std::string type = "upscale", std::string name = {});
[[nodiscard]] batch_started started(std::int64_t batch, std::vector<std::int64_t> jobs);
[[nodiscard]] job_finished finished(std::int64_t id, std::int64_t batch, job_state state = job_state::completed);
[[nodiscard]] std::vector<std::int64_t> ids_of(const std::vector<job_record>& jobs);

// Knows the connection that was opened last while it lives, to ask or set what only that connection can tell.
class connection_watch {
public:
  connection_watch();
  ~connection_watch();
  connection_watch(const connection_watch&) = delete;
  connection_watch& operator=(const connection_watch&) = delete;
  [[nodiscard]] std::int64_t ask(const std::string& sql) const;
  void tell(const std::string& sql) const;
  // Each row of the answer as a line.
  [[nodiscard]] std::string rows(const std::string& sql) const;
};

// Runs one statement on the database file behind the store's back.
void run_sql(const std::filesystem::path& folder, const std::string& sql);
[[nodiscard]] std::int64_t ask_sql(const std::filesystem::path& folder, const std::string& sql);

} // namespace ferry::storage::test
