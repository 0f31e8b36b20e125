// What has happened, in the past tense. Facts are all that the queue tells storage; applied in order they rebuild the queue.
#pragma once

#include "model/ids.hpp"
#include "model/job.hpp"
#include "model/time.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace ferry {

struct job_queued {
  job_id id;
  std::string type;
  std::string params; // JSON object, validated, defaults filled in
  std::string name;
  int priority = priority_default;
  std::int64_t order_key = 0;
  bool held = false;
  instant at{};
};

// Parameters or name of a queued job were replaced; what is not set stays.
struct job_edited {
  job_id id;
  std::optional<std::string> params; // JSON object, validated
  std::optional<std::string> name;
  instant at{};
};

struct job_held {
  job_id id;
  instant at{};
};
struct job_released {
  job_id id;
  instant at{};
};

// Moved or given another priority.
struct job_reordered {
  job_id id;
  int priority = priority_default;
  std::int64_t order_key = 0;
  instant at{};
};

// On disk before anything is launched (P2). Counts as an attempt of each job unless `batch_requeued` follows.
struct batch_started {
  batch_id id;
  std::vector<job_id> jobs;
  std::string device; // device::id
  instant at{};
};

// The batch never ran: its jobs are queued again and no attempt is counted.
struct batch_requeued {
  batch_id id;
  std::vector<job_id> jobs;
  std::string reason;
  instant at{};
};

struct job_finished {
  job_id id;
  batch_id batch;                         // none: cancelled while queued
  job_state state = job_state::completed; // completed, failed or cancelled
  std::optional<failure> why_failed;
  std::string result; // JSON; empty: none
  instant at{};
};

struct batch_ended {
  batch_id id;
  instant at{};
};

// A finished job is queued again; id, history and earlier attempts stay.
struct job_retried {
  job_id id;
  std::int64_t order_key = 0;
  instant at{};
};

// Finished jobs were taken off the lists; they can still be shown by id.
struct jobs_cleared {
  std::vector<job_id> jobs;
  instant at{};
};

struct queue_paused {
  bool paused = true;
  instant at{};
};

using fact = std::variant<job_queued, job_edited, job_held, job_released, job_reordered, batch_started, batch_requeued,
                          job_finished, batch_ended, job_retried, jobs_cleared, queue_paused>;

} // namespace ferry
