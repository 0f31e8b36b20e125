#include "storage/submissions.hpp"

#include <SQLiteCpp/Exception.h>
#include <charconv>
#include <sqlite3.h>
#include <string_view>

namespace ferry::storage {
namespace {

constexpr const char* select_submission = "SELECT digest, jobs FROM submissions WHERE key = ?";
constexpr const char* insert_submission = "INSERT INTO submissions (key, digest, jobs, at) VALUES (?, ?, ?, ?)";
constexpr const char* delete_old =
    "DELETE FROM submissions WHERE key IN (SELECT key FROM submissions WHERE at < ? ORDER BY at LIMIT ?)";

std::string ranges_of(const std::vector<job_id>& jobs) {
  std::string text;
  for (std::size_t first = 0; first < jobs.size();) {
    std::size_t last = first;
    while (last + 1 < jobs.size() && jobs[last + 1].value == jobs[last].value + 1)
      ++last;
    text += (text.empty() ? "" : ",") + to_string(jobs[first]) + "-" + to_string(jobs[last]);
    first = last + 1;
  }
  return text;
}

std::int64_t take_number(std::string_view& text) {
  std::int64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{})
    throw SQLite::Exception("the jobs of a submission cannot be read", SQLITE_CORRUPT);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (!text.empty())
    text.remove_prefix(1); // '-' or ','
  return number;
}

std::vector<job_id> jobs_of(std::string_view ranges) {
  std::vector<job_id> jobs;
  while (!ranges.empty()) {
    const auto first = take_number(ranges), last = take_number(ranges);
    for (auto id = first; id <= last; ++id)
      jobs.push_back(job_id{id});
  }
  return jobs;
}

} // namespace

result<std::vector<job_id>> find_submission(statement_cache& statements, const submission& from) {
  auto row = statements.query(select_submission, from.key);
  if (!row.next())
    return std::vector<job_id>{};
  if (row.text(0) != from.request_digest)
    return fail(error_code::conflict, "the idempotency key \"" + from.key + "\" was used for another request",
                "send a new key with each new request; a key is kept for 7 days");
  return jobs_of(row.text(1));
}

void store_submission(statement_cache& statements, const submission& from, const std::vector<job_id>& jobs, instant at) {
  statements.run(insert_submission, from.key, from.request_digest, ranges_of(jobs), at);
  // A few at a time, so that a daemon that runs for years does not collect them.
  prune_submissions(statements, at, 2);
}

void prune_submissions(statement_cache& statements, instant now, std::size_t limit) {
  statements.run(delete_old, now - submission_kept, limit);
}

} // namespace ferry::storage
