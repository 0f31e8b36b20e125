#include "storage/job_ranges.hpp"

#include <algorithm>

namespace ferry::storage {
namespace {

constexpr std::size_t chunk_size_max = 1'024;

constexpr const char* select_newest_first = R"sql(
SELECT id FROM jobs INDEXED BY jobs_by_type
WHERE type = ? AND state = ? AND (cleared IS NULL) = ? AND id <= ? ORDER BY id DESC LIMIT ?)sql";
constexpr const char* select_oldest_first = R"sql(
SELECT id FROM jobs INDEXED BY jobs_by_type
WHERE type = ? AND state = ? AND (cleared IS NULL) = ? AND id >= ? ORDER BY id LIMIT ?)sql";

} // namespace

range_walk::range_walk(statement_cache& statements, job_range range, walk direction)
    : statements_(&statements), range_(range), direction_(direction) {}

bool range_walk::is_before(std::int64_t id, job_id bound) const {
  return direction_ == walk::newest_first ? id > bound.value : id < bound.value;
}

std::optional<job_id> range_walk::seek(job_id bound) {
  while (next_ < chunk_.size() && is_before(chunk_[next_], bound))
    ++next_;
  if (next_ == chunk_.size() && !exhausted_)
    read_chunk(bound);
  return next_ < chunk_.size() ? std::optional{job_id{chunk_[next_]}} : std::nullopt;
}

void range_walk::read_chunk(job_id bound) {
  chunk_.clear();
  next_ = 0;
  auto row = statements_->query(direction_ == walk::newest_first ? select_newest_first : select_oldest_first, range_.type,
                                static_cast<int>(range_.state), range_.cleared ? 0 : 1, bound.value, chunk_size_);
  while (row.next())
    chunk_.push_back(row.integer(0));
  rows_read_ += chunk_.size();
  exhausted_ = chunk_.size() < chunk_size_;
  chunk_size_ = std::min(chunk_size_ * 4, chunk_size_max);
}

merged_walk::merged_walk(statement_cache& statements, const std::vector<job_range>& ranges, walk direction)
    : direction_(direction) {
  ranges_.reserve(ranges.size());
  for (const job_range& range : ranges)
    ranges_.emplace_back(statements, range, direction);
}

bool merged_walk::later(const head& a, const head& b) const { return direction_ == walk::newest_first ? a.id < b.id : a.id > b.id; }

void merged_walk::push(std::size_t range, job_id bound) {
  const auto found = ranges_[range].seek(bound);
  if (!found)
    return;
  heap_.push_back({found->value, range});
  std::push_heap(heap_.begin(), heap_.end(), [this](const head& a, const head& b) { return later(a, b); });
}

std::optional<job_id> merged_walk::seek(job_id bound) {
  if (!begun_) {
    begun_ = true;
    for (std::size_t range = 0; range < ranges_.size(); ++range)
      push(range, bound);
  }
  const auto behind = [&](std::int64_t id) { return direction_ == walk::newest_first ? id > bound.value : id < bound.value; };
  while (!heap_.empty() && behind(heap_.front().id)) {
    const auto range = heap_.front().range;
    std::pop_heap(heap_.begin(), heap_.end(), [this](const head& a, const head& b) { return later(a, b); });
    heap_.pop_back();
    push(range, bound);
  }
  return heap_.empty() ? std::nullopt : std::optional{job_id{heap_.front().id}};
}

std::size_t merged_walk::rows_read() const {
  std::size_t all = 0;
  for (const range_walk& range : ranges_)
    all += range.rows_read();
  return all;
}

} // namespace ferry::storage
