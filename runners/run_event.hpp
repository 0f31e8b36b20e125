// What happens in a run, as events.jsonl stores it: appended by the shim, one JSON object a line, each with "type" and "at" (Unix
// ms). Progress in steps of less than one percent is reported and not stored, so that a run of weeks has a short file.
#pragma once

#include "model/job.hpp"
#include "model/time.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace ferry::runners {

// The job's process exists.
struct run_started {
  int pid = 0;
  instant at{};
  bool warm = false; // a worker that was there already
};
struct run_progressed {
  job_id job; // none: every job of the batch
  progress value;
  instant at{};
};
// The job is ready to work: its model is loaded.
struct run_loaded {
  job_id job; // none: every job of the batch
  instant at{};
};
// The job can be continued from there; the file is complete.
struct run_checkpoint {
  job_id job;
  std::string path; // relative to the job's directory, or absolute
  std::optional<std::int64_t> step = {};
  instant at{};
};
struct artifact {
  std::string path; // relative to the job's directory
  std::int64_t bytes = 0;
};
// `files` of these three: what a worker's job left, listed when it ended; of other runs the exit record has them.
struct run_job_done {
  job_id job;
  json result;
  instant at{};
  std::vector<artifact> files = {};
};
struct run_job_failed {
  job_id job;
  failure why;
  instant at{};
  std::vector<artifact> files = {};
};
// The worker ended it as it was asked to; the batch goes on.
struct run_job_cancelled {
  job_id job;
  instant at{};
  std::vector<artifact> files = {};
};
// Nothing of the run lives, or its worker is done with it. Exactly one of `exit_status`, `signal` and `why` is set.
struct run_exited {
  std::optional<int> exit_status = {};
  std::optional<int> signal = {};
  std::optional<failure> why = {};                   // it could not be launched, or not any more
  std::string stopped_by = {};                       // the reason given to stop(); empty: ended by itself
  std::vector<job_id> stopped_jobs = {};             // for whose sake; empty: of all
  std::optional<failure> broken = {};                // why the batch as a whole failed: of jobs that had not ended by themselves
  bool worker_ended = false;                         // the worker that ran it takes no other batch
  std::optional<std::int64_t> memory_mib = {};       // the most that a worker used of its device
  std::vector<std::vector<artifact>> artifacts = {}; // a list a job, in the order of the spec
  instant at{};
};

using run_event = std::variant<run_started, run_progressed, run_loaded, run_checkpoint, run_job_done, run_job_failed,
                               run_job_cancelled, run_exited>;

[[nodiscard]] json to_json(const run_event& e);
// Errors: invalid_argument; unknown types are an error of code not_found, so that newer shims can be followed by older daemons.
[[nodiscard]] result<run_event> run_event_from(const json& line);

} // namespace ferry::runners
