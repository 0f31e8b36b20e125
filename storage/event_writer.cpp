#include "storage/event_writer.hpp"

namespace ferry::storage {
namespace {

constexpr const char* select_newest = "SELECT number FROM job_events WHERE job = ? ORDER BY number DESC LIMIT 1";
constexpr const char* insert_event = "INSERT INTO job_events (job, number, at, what, batch, detail) VALUES (?, ?, ?, ?, ?, ?)";

constexpr std::size_t newest_kept_max = 4'096; // more than run at a time

} // namespace

std::int64_t& event_writer::newest_of(job_id job) {
  if (const auto known = newest_.find(job.value); known != newest_.end())
    return known->second;
  std::int64_t newest = 0;
  if (auto row = statements_.query(select_newest, job); row.next())
    newest = row.integer(0);
  if (newest_.size() >= newest_kept_max)
    newest_.clear();
  return newest_.emplace(job.value, newest).first->second;
}

void event_writer::append(job_id job, instant at, event_kind what, batch_id batch, const json& detail) {
  const auto text = detail.is_null() ? std::nullopt : std::optional{to_text(detail)};
  auto& newest = newest_of(job);
  statements_.run(insert_event, job, newest + 1, at, static_cast<int>(what), batch, text);
  ++newest;
  if (what == event_kind::finished)
    newest_.erase(job.value);
}

} // namespace ferry::storage
