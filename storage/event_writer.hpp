// Appends to the history of jobs. Remembers the newest number of those that it lately wrote for, so that most events cost one plain
// insert: a job that starts and ends gets three within moments.
#pragma once

#include "model/facts.hpp"
#include "storage/history.hpp"
#include "storage/statements.hpp"

#include <cstdint>
#include <unordered_map>

namespace ferry::storage {

class event_writer {
public:
  explicit event_writer(statement_cache& statements) : statements_(statements) {}

  // `detail` is a JSON object or null, which stores nothing. Throws what SQLite throws.
  void append(job_id job, instant at, event_kind what, batch_id batch, const json& detail);
  // What was written may have been undone.
  void forget() { newest_.clear(); }

private:
  [[nodiscard]] std::int64_t& newest_of(job_id job);

  statement_cache& statements_;
  std::unordered_map<std::int64_t, std::int64_t> newest_; // by job; bounded, then forgotten
};

} // namespace ferry::storage
