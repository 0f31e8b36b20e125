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
  job_id resumed_from = {};               // continues that job's work
  std::optional<instant> not_before = {}; // a user wishes it to start no earlier
  std::vector<job_id> needs = {};         // ascending; it waits for these
  needs_rule on_needs_failure = needs_rule::hold;
  std::string group = {};
  std::string unique_key = {};
  std::string user = {};                   // whose it is; empty: not known
  std::optional<instant> waits_since = {}; // what its aging counts from, where that is not `at`
  device_selector on = {};                 // the devices that it may run on
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
  std::string reason = {}; // empty: a user wished it
};
// Neither a hold nor a backoff keeps it back any more.
struct job_released {
  job_id id;
  instant at{};
  bool needs_dropped = false; // nor does what it needed
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
  std::vector<job_part> parts = {}; // of these jobs, what of each it runs; empty: all of each
};

// The batch never ran: its jobs are queued again and no attempt is counted.
struct batch_requeued {
  batch_id id;
  std::vector<job_id> jobs;
  std::string reason;
  instant at{};
  bool crashed = false; // the daemon or the shim died in the middle of starting it
};

// An attempt is over and counted, and the job goes on: it is queued again.
enum class attempt_end {
  retried,
  continued,
  preempted,
  suspended,
  regrouped, // its batch ended without it being at fault, as far as is known: it runs again in another; no attempt is counted
  part_done, // some of its items are done, and the next ones are to come; no attempt is counted
};
// An attempt that does not count: the job has not used it up.
[[nodiscard]] constexpr bool counts(attempt_end how) { return how != attempt_end::regrouped && how != attempt_end::part_done; }
[[nodiscard]] std::string_view to_string(attempt_end how);
struct attempt_ended {
  job_id id;
  batch_id batch;
  attempt_end how = attempt_end::retried;
  std::optional<failure> why_failed;     // of an attempt that is retried
  std::optional<instant> not_before;     // the backoff
  bool held = false;                     // a suspended job is
  std::string held_for = {};             // why it is held
  int retries = 0;                       // so far, this one among them
  std::optional<std::int64_t> step = {}; // that it had reached
  std::vector<run_note> notes = {};      // what was learnt of the attempt
  instant at{};
  int batch_max = 0;       // it runs with at most so many jobs from now on, all of them such as this one; 0: no such bound
  int items_max = 0;       // a run of it takes at most so many of its items from now on; 0: no such bound
  std::string result = {}; // JSON, of a part that is done; empty: none
};

struct job_finished {
  job_id id;
  batch_id batch;                         // none: cancelled while queued
  job_state state = job_state::completed; // completed, failed or cancelled
  std::optional<failure> why_failed;
  std::string result;               // JSON; empty: none
  std::vector<run_note> notes = {}; // what was learnt of the attempt
  instant at{};
};

// Something about a running job that is to be known at once, whatever becomes of it.
struct job_noted {
  job_id id;
  batch_id batch;
  run_note note;
};

struct batch_ended {
  batch_id id;
  instant at{};
};

// A finished job is queued again; id, history and earlier attempts stay. It continues from its newest checkpoint, if it has one.
struct job_retried {
  job_id id;
  std::int64_t order_key = 0;
  instant at{};
  bool from_scratch = false;               // its checkpoints do not count any more
  std::optional<instant> waits_since = {}; // as job_queued has it
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

// No job of the type is started until it is released.
struct type_held {
  std::string type;
  std::string reason;
  instant at{};
};
struct type_released {
  std::string type;
  instant at{};
};

// How many jobs of a group may run at once, and whether any is started.
struct group_changed {
  std::string name;
  int parallel = 0; // 0: no limit
  bool paused = false;
  instant at{};
};

// What was learnt of something, as JSON; replaces what was known.
struct knowledge_gained {
  std::string about;
  std::string value;
  instant at{};
};

using fact = std::variant<job_queued, job_edited, job_held, job_released, job_reordered, batch_started, batch_requeued,
                          attempt_ended, job_finished, job_noted, batch_ended, job_retried, jobs_cleared, queue_paused, type_held,
                          type_released, knowledge_gained, group_changed>;

} // namespace ferry
