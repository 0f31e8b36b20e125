// A job: what a user asked for, and what became of it.
#pragma once

#include "model/error.hpp"
#include "model/ids.hpp"
#include "model/job_state.hpp"
#include "model/time.hpp"

#include <cstdint>
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

// A submit, as it arrives. Nothing in it has been checked.
struct job_request {
  std::string type;
  json params = json::object();
  int priority = priority_default; // 0–100, larger first
  std::string name = {};           // free text for people; may be empty
  bool held = false;
  std::string base_dir =
      {}; // the absolute folder that relative paths in parameters of format job-result start from; empty: refused
};

// How far a running job is. Every field may be unknown.
struct progress {
  std::optional<double> fraction = {};    // 0–1
  std::optional<std::int64_t> step = {};  // steps (frames, iterations) done
  std::optional<std::int64_t> total = {}; // steps in all
  std::string message = {};               // a short text of the job's own
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
  int attempts = 0; // started so far
  instant created{};
  std::optional<instant> started; // of the latest attempt
  std::optional<instant> finished;
  std::optional<instant> cleared; // taken off the lists by `clear`
  batch_id batch;                 // of the latest attempt; none: never started
  std::string device;             // of the latest attempt
  std::optional<failure> why_failed;
  json result; // null until there is one
};

} // namespace ferry
