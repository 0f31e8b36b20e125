// What became of a job, judged from how its run ended and from what it reported; and what to do about a run found at start. Pure.
#pragma once

#include "model/job.hpp"

#include <optional>
#include <string>

namespace ferry::scheduling {

// The reasons that ferry itself stops a run for.
inline constexpr const char* stopped_by_cancel = "cancel";
inline constexpr const char* stopped_by_timeout = "timeout";

// How a run ended. All empty: its supervisor vanished without a record.
struct run_ending {
  std::optional<int> exit_status = {};
  std::optional<int> signal = {};
  std::optional<failure> launch_failure = {};
  std::string stopped_by = {};
  bool lost = false;
};

// What one job said of itself through events, and what it left behind.
struct job_report {
  std::optional<json> result = {};
  std::optional<failure> why_failed = {};
  json artifacts = json::array(); // [{"path", "bytes"}]
};

struct job_outcome {
  job_state state = job_state::completed;
  std::optional<failure> why_failed = {};
  json result = nullptr;
};

// Exit status 0 alone is success; a job that reported a failure has failed whatever the status. A run that was stopped ends for the
// reason it was stopped for, also when it managed to exit with 0 first.
[[nodiscard]] job_outcome judge(const run_ending& ending, const job_report& report);

// What a run directory told at start.
enum class run_sighting { absent, never_started, alive, over, lost, damaged };
enum class reconciliation {
  requeue, // it never ran: back in line, no attempt counted
  adopt,   // it runs: follow it
  harvest, // it ended meanwhile: take its result
  give_up, // gone without a record: end what is left of it and fail its jobs
};
[[nodiscard]] reconciliation reconcile(run_sighting sighting);

} // namespace ferry::scheduling
