// Reads jobs over a connection of its own: it never blocks the writer and sees what is committed. Used by one thread.
#pragma once

#include "config/limits.hpp"
#include "model/facts.hpp"
#include "storage/job_counts.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ferry::storage {

// Which jobs a page holds: newest first, by id.
struct job_filter {
  std::vector<job_state> states = {}; // empty: any
  std::string type = {};              // empty: any
  std::string name_contains = {};     // empty: any; A–Z and a–z are the same
  bool with_cleared = false;
  job_id before = {}; // only smaller ids; none: from the newest
  std::size_t limit = 50;
  std::size_t rows_searched_max = limits::page_rows_searched_max;
};

// Which finished jobs `clear` takes off the lists.
struct clear_filter {
  std::vector<job_state> states = {};  // empty: any
  std::vector<std::string> types = {}; // empty: any
  std::optional<instant> ended_before = {};
  job_id after = {}; // only larger ids; none: from the oldest
};

// What a note is called in a job's history: "run_started", "checkpoint_saved", …
[[nodiscard]] const char* name_of(note_kind note);

// One line of a job's history.
struct history_entry {
  instant at{};
  std::string what; // the fact's name: "job_queued", "batch_started", …
  json detail;      // object
};

// Where a search has looked at `rows_searched_max` rows, the page ends there, be it full or not: so each page comes
// quickly, whatever is asked for.
struct job_page {
  std::vector<job_record> jobs;
  std::optional<job_id> next_before = {}; // where to go on: the `before` of the next page; none: there is no more
};

class job_reader {
public:
  // The store must have been opened before: it makes and migrates the file. Errors: not_found, newer_version, damaged, io.
  [[nodiscard]] static result<std::unique_ptr<job_reader>> open(const std::filesystem::path& data_dir);
  ~job_reader();

  // Errors: not_found.
  [[nodiscard]] result<job_record> find(job_id id);
  // In the order asked; ids that do not exist are left out. Params and result are read too unless `brief`.
  [[nodiscard]] result<std::vector<job_record>> find_all(const std::vector<job_id>& ids, bool brief);
  // Without params and results, as find_all with `brief`.
  [[nodiscard]] result<job_page> page(const job_filter& filter);
  // Oldest first. Errors: not_found.
  [[nodiscard]] result<std::vector<history_entry>> history(job_id id);
  // Finished jobs that `clear` would take off the lists, at most `limit`, oldest first.
  [[nodiscard]] result<std::vector<job_id>> clearable(const clear_filter& which, std::size_t limit);
  [[nodiscard]] result<job_counts> counts(const counts_query& query);
  [[nodiscard]] result<std::vector<failure_count>> failures(std::size_t limit);
  // The batches that have not ended.
  [[nodiscard]] result<std::vector<batch_id>> running_batches();

private:
  struct implementation;
  explicit job_reader(std::unique_ptr<implementation> impl);
  std::unique_ptr<implementation> impl_;
};

} // namespace ferry::storage
