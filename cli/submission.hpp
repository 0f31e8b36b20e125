// Sending jobs to the queue.
#pragma once

#include "cli/verb.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ferry::cli {

struct submitted {
  std::int64_t id = 0;
  std::optional<std::int64_t> position; // none: it may not start yet
  std::string waiting_for = {};         // then: why; empty: it is held
  bool existing = false;                // it was there before, with the same unique key
};

// A key that no other submit has: 128 random bits.
[[nodiscard]] std::string random_key();
// Errors: invalid_argument for what cannot stand in a header.
[[nodiscard]] result<void> check_key(const std::string& key);

// One job. `answer` is the daemon's document. Sent again with the same key while the daemon restarts, so it is queued once.
struct submit_answer {
  submitted job;
  std::string answer;
};
[[nodiscard]] result<submit_answer> submit_job(context& c, const json& job, const std::string& key);

// Up to limits::jobs_per_request_max jobs, all or none.
[[nodiscard]] result<std::vector<submitted>> submit_list(context& c, json jobs, const std::string& base_dir,
                                                         const std::string& key);

struct bulk_request {
  std::string file;               // JSON Lines; "-" is standard input
  json base = json::object();     // see job_lines
  std::optional<std::string> key; // request n of the file has the key "<key>/n"
  bool print_ids = false;         // as they are given, one a line
  std::string directory;          // params.cwd of `command` jobs that name none, and base_dir of all jobs
};
// All jobs of a file, up to 1,000 a request, each request all or none. On a terminal a line below counts them.
// Errors: what stopped it, with file and line; the hint says which lines are in the queue already.
[[nodiscard]] result<std::vector<submitted>> submit_file(context& c, const bulk_request& what);

} // namespace ferry::cli
