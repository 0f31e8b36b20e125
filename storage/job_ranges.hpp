// Walks over job ids without sorting or scanning. Every list that ferry shows is a union of ranges of the index jobs_by_type (one
// type, one state, cleared or not), and each range is already in the order of ids; merging them costs one look-up a range and one
// step a row, whatever else the table holds.
#pragma once

#include "model/job.hpp"
#include "storage/statements.hpp"

#include <optional>
#include <vector>

namespace ferry::storage {

enum class walk { newest_first, oldest_first };

struct job_range {
  std::int64_t type = 0;
  job_state state = job_state::queued;
  bool cleared = false;
};

// The ids of one range, read a chunk at a time.
class range_walk {
public:
  range_walk(statement_cache& statements, job_range range, walk direction);

  // Goes to the first id at or beyond `bound` in the direction of the walk; bounds must follow that direction.
  // None: the range has no more.
  [[nodiscard]] std::optional<job_id> seek(job_id bound);
  [[nodiscard]] std::size_t rows_read() const { return rows_read_; }

private:
  void read_chunk(job_id bound);
  [[nodiscard]] bool is_before(std::int64_t id, job_id bound) const;

  statement_cache* statements_;
  job_range range_;
  walk direction_;
  std::vector<std::int64_t> chunk_;
  std::size_t next_ = 0;
  std::size_t chunk_size_ = 4; // grows with use: a range that yields little is not read far ahead
  bool exhausted_ = false;
  std::size_t rows_read_ = 0;
};

// The union of ranges; with no ranges at all it is empty.
class merged_walk {
public:
  merged_walk(statement_cache& statements, const std::vector<job_range>& ranges, walk direction);
  // As range_walk::seek.
  [[nodiscard]] std::optional<job_id> seek(job_id bound);
  // What it has cost so far.
  [[nodiscard]] std::size_t rows_read() const;

private:
  struct head {
    std::int64_t id;
    std::size_t range;
  };
  void push(std::size_t range, job_id bound);
  [[nodiscard]] bool later(const head& a, const head& b) const;

  walk direction_;
  std::vector<range_walk> ranges_;
  std::vector<head> heap_;
  bool begun_ = false;
};

} // namespace ferry::storage
