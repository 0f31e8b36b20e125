// Applies facts to the tables. Each fact is checked against what is stored, before it changes a row or by what the change asks of
// it: a job that the state machine forbids to finish is not finished, whoever says so. Runs inside the transaction of its caller,
// who undoes it when a fact fails.
#pragma once

#include "model/facts.hpp"
#include "storage/event_writer.hpp"
#include "storage/interned_names.hpp"
#include "storage/statements.hpp"

#include <cstdint>

namespace ferry::storage {

// What is counted rather than searched for. Kept in memory while facts are applied, stored once a transaction.
struct queue_totals {
  job_id last_job; // highest ids stored
  batch_id last_batch;
  std::int64_t last_order_key = 0;
  bool paused = false;
  std::int64_t completed = 0, failed = 0, cancelled = 0; // jobs in that state, cleared or not

  friend bool operator==(const queue_totals&, const queue_totals&) = default;
};

[[nodiscard]] queue_totals read_totals(statement_cache& statements);

class fact_writer {
public:
  explicit fact_writer(statement_cache& statements);

  // Errors: internal (the fact contradicts what is stored). Throws what SQLite throws.
  [[nodiscard]] result<void> write(const fact& f);
  // To be called before the transaction is committed.
  void write_totals();

  [[nodiscard]] const queue_totals& totals() const { return totals_; }
  // What was written since has been undone.
  void undo_to(const queue_totals& earlier);
  void committed() { stored_totals_ = totals_; }
  [[nodiscard]] const queue_totals& committed_totals() const { return stored_totals_; }

private:
  struct job_row;

  result<void> write(const job_queued& f);
  result<void> write(const job_edited& f);
  result<void> write(const job_held& f);
  result<void> write(const job_released& f);
  result<void> write(const job_reordered& f);
  result<void> write(const batch_started& f);
  result<void> write(const batch_requeued& f);
  result<void> write(const attempt_ended& f);
  result<void> write(const job_finished& f);
  result<void> write(const job_noted& f);
  result<void> write(const batch_ended& f);
  result<void> write(const job_retried& f);
  result<void> write(const jobs_cleared& f);
  result<void> write(const queue_paused& f);
  result<void> write(const type_held& f);
  result<void> write(const knowledge_gained& f);
  result<void> write(const type_released& f);
  result<void> write(const group_changed& f);

  // The job, or an error that names the fact.
  result<job_row> find(job_id id, const char* fact_name);
  result<job_row> find_unfinished(job_id id, const char* fact_name);
  // The job, when it runs in that batch; else an error that names the fact.
  result<job_row> find_running(job_id id, batch_id batch, const char* fact_name);
  result<void> why_not_started(const batch_started& f, job_id id, std::int64_t type);
  // False: it does not run in that batch, and nothing was changed.
  bool finish_running(const job_finished& f);
  // Of one that is queued; else what is wrong.
  result<void> finish_queued(const job_finished& f);
  result<void> set_held(job_id id, bool held, const std::string& reason, instant at);
  void write_notes(job_id job, batch_id batch, const std::vector<run_note>& notes);
  result<void> requeue(const batch_requeued& f, job_id id);
  [[nodiscard]] bool has_running_jobs(batch_id batch, std::int64_t type);
  std::int64_t& finished_in(job_state state);

  statement_cache& statements_;
  event_writer events_;
  interned_names types_;
  interned_names devices_;
  interned_names groups_;
  interned_names users_;
  queue_totals totals_;
  queue_totals stored_totals_;
};

} // namespace ferry::storage
