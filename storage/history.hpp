// A job's history as it is stored: one event for each thing that happened after it was queued. That it was queued stands in its row
// already and is told from there.
#pragma once

#include "model/facts.hpp"
#include "storage/job_reader.hpp"
#include "storage/statements.hpp"

#include <string>
#include <vector>

namespace ferry::storage {

// The numbers are stored; append only.
enum class event_kind {
  edited = 1,
  held = 2,
  released = 3,
  reordered = 4,
  batch_started = 5,
  batch_requeued = 6,
  finished = 7,
  retried = 8,
  cleared = 9,
  attempt_ended = 10,
  started = 11,
  loaded = 12,
  checkpoint = 13,
  warned = 14,
  resumed = 15,
  promised = 16,
};
[[nodiscard]] event_kind kind_of(note_kind note);

// The batch and start of the attempt before the latest one, or none: what holds again when the latest attempt is not counted.
struct attempt {
  batch_id batch;
  instant started{};
};
[[nodiscard]] std::optional<attempt> previous_attempt(statement_cache& statements, job_id job);

// Where a job can be continued from, the newest first, at most limits::checkpoints_offered_max: its own that a retry from scratch
// did not set aside, then those of the job that it was resumed from. Only those of attempts that ran the same items as the latest
// one, which has started: all, or the same part.
[[nodiscard]] std::vector<checkpoint> read_checkpoints(statement_cache& statements, job_id job);

// The whole story, oldest first; empty when there is no such job.
[[nodiscard]] std::vector<history_entry> read_history(statement_cache& statements, job_id job);

// As an event tells of it: {"first_item", "items", "of"}.
[[nodiscard]] json to_json(const job_part& part);

// A failure as it is stored, and back. Text that is not UTF-8 is mended.
[[nodiscard]] json to_json(const failure& why);
[[nodiscard]] failure failure_from(const json& stored);
[[nodiscard]] std::string to_text(const json& value);

} // namespace ferry::storage
