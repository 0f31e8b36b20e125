// A job: what a user asked for, and what became of it.
#pragma once

#include "model/device_selector.hpp"
#include "model/error.hpp"
#include "model/ids.hpp"
#include "model/job_state.hpp"
#include "model/time.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ferry {

using json = nlohmann::json;

inline constexpr int priority_min = 0;
inline constexpr int priority_max = 100;
inline constexpr int priority_default = 50;

// What becomes of a job when one that it needs ends without completing.
enum class needs_rule { // the numbers are stored; append only
  hold = 0,             // it is held until that job completes after all
  cancel = 1,           // it is cancelled
  start = 2,            // it starts once all that it needs have ended, however
};
inline constexpr std::array all_needs_rules{needs_rule::hold, needs_rule::cancel, needs_rule::start};
[[nodiscard]] std::string_view to_string(needs_rule rule);
[[nodiscard]] std::optional<needs_rule> needs_rule_from(std::string_view name);

// A submit, as it arrives. Nothing in it has been checked.
struct job_request {
  std::string type;
  json params = json::object();
  int priority = priority_default; // 0–100, larger first
  std::string name = {};           // free text for people; may be empty
  bool held = false;
  std::chrono::milliseconds delay{0}; // from the submit on, before which it does not start
  job_id resumed_from = {};           // continues from that job's newest checkpoint; none: begins at the beginning
  std::string base_dir =
      {}; // the absolute folder that relative paths in parameters of format job-result start from; empty: refused
  std::vector<job_id> needs = {}; // it does not start before these have completed
  needs_rule on_needs_failure = needs_rule::hold;
  std::string group = {};               // limits how many run at once; empty: none
  std::string unique_key = {};          // no second job with it while one is queued or running; empty: none
  std::optional<std::string> user = {}; // whose it is; not set: of nobody known, as jobs were before there were users
  device_selector on = {};              // the devices that it may run on
};

// How far a running job is. Every field may be unknown.
struct progress {
  std::optional<double> fraction = {};    // 0–1
  std::optional<std::int64_t> step = {};  // steps (frames, iterations) done
  std::optional<std::int64_t> total = {}; // steps in all
  std::string message = {};               // a short text of the job's own
  // Numbers of the job's own, such as its loss; may be NaN or infinite. At most limits::metrics_max.
  std::map<std::string, double> metrics = {};
};

enum class failure_kind {
  exit_status, // the process ended with a status other than 0
  signal,      // the process was ended by a signal it was not sent by ferry
  oom,         // out of device or host memory
  timeout,     // a limit of the watchdog
  input,       // its parameters or source files cannot be used
  launch,      // the program could not be started
  lost,        // the supervisor above it vanished and left no record of an end
  reported,    // the job said so itself
  transient,   // the job said so itself, and that trying again may help
  device,      // its device failed
  metric,      // a metric rule of its type: a loss that became NaN
  needs,       // a job that it needs did not complete; of jobs that are cancelled for that
};

[[nodiscard]] std::string_view to_string(failure_kind kind);
[[nodiscard]] std::optional<failure_kind> failure_kind_from(std::string_view name);

struct failure {
  failure_kind kind = failure_kind::exit_status;
  std::string message;                 // one sentence for the user
  std::optional<int> exit_status = {}; // 0–255
  std::optional<int> signal = {};      // signal number

  friend bool operator==(const failure&, const failure&) = default;
};

// What was learnt of a running attempt, for the job's history.
enum class note_kind {
  started,    // its process exists
  loaded,     // it said that it is ready to work
  checkpoint, // it said that it can be continued from there
  warned,     // the watchdog found something
  resumed,    // it continues from a checkpoint
  promised,   // when its start was foreseen, and for when
};
struct run_note {
  note_kind what = note_kind::started;
  instant at{};
  json detail =
      nullptr; // object or null; of a checkpoint {"path", "step"}: the path relative to the attempt's job directory, or absolute
};

// Where a job can be continued from. Files of an earlier attempt stay where they are.
struct checkpoint {
  job_id job;       // whose it is: the job's own, or that of the one it was resumed from
  batch_id batch;   // of the attempt that made it
  std::string path; // relative to that attempt's job directory, or absolute
  std::optional<std::int64_t> step = {};
};

// The items of a job that one run of it takes: `count` of them, from `first` (0-based) on.
struct job_part {
  int first = 0;
  int count = 0; // 0: all that it has
  int of = 0;    // that it has in all; 0: as count

  [[nodiscard]] bool is_all() const { return count == 0; }
  friend bool operator==(const job_part&, const job_part&) = default;
};

// Everything stored about one job.
struct job_record {
  job_id id;
  std::string type;
  job_state state = job_state::queued;
  int priority = priority_default;
  std::int64_t order_key = 0; // ascending within a priority
  bool held = false;
  std::string name;
  json params = json::object();
  int attempts = 0;                           // started so far
  int retries = 0;                            // of them, those that the retry policy asked for
  std::optional<instant> not_before;          // of a queued job: it does not start earlier
  std::string held_for;                       // why it is held; empty: a user wished it
  job_id resumed_from;                        // the job whose checkpoint it began with
  std::vector<job_id> needs;                  // ascending
  std::optional<needs_rule> on_needs_failure; // none: it needs nothing
  std::string group;                          // empty: none
  std::string unique_key;                     // empty: none
  std::string user;                           // whose it is; empty: not known
  device_selector on;                         // the devices that it may run on
  instant created{};
  std::optional<instant> started; // of the latest attempt
  std::optional<instant> finished;
  std::optional<instant> cleared; // taken off the lists by `clear`
  batch_id batch;                 // of the latest attempt; none: never started
  std::string device;             // of the latest attempt
  std::optional<failure> why_failed;
  // null until there is one. Of a job that ran in parts: {"parts": [{"batch", "first_item", "items", "result"}]}, those that are
  // done
  json result;
  int items_done = 0; // by its parts that are over
  job_part part;      // that its latest attempt took
};

} // namespace ferry
