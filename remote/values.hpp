// Jobs as they travel between machines: what a program describes, and what it is told. Plain values without CAF.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ferry::remote {

struct job_description {
  std::string type;
  std::string params = "{}"; // a JSON object
  int priority = 50;         // 0–100, larger first
  std::string name;
  bool held = false;
  std::int64_t delay_ms = 0;
  std::string base_dir; // the absolute folder, on the daemon's machine, that relative sources start from
  std::vector<std::int64_t> needs;
  std::string on_needs_failure = "hold"; // or cancel, start
  std::string group, unique_key;         // empty: none
  std::string user;                      // whose it is; empty: of $FERRY_USER, else of who runs the program
  std::map<std::string, std::string> on; // labels of the devices that it may run on: {{"gpu", "h100"}}; empty: any
};

struct job_status {
  std::int64_t id = 0;
  std::string type, name, user;
  std::string state; // queued, running, completed, failed, cancelled
  std::string phase; // of a running job
  bool held = false;
  std::string waiting_for;                                                            // why a queued job is not running
  std::optional<std::uint64_t> position;                                              // of a queued job, 1-based
  std::optional<std::int64_t> expected_start_ms, created_ms, started_ms, finished_ms; // since the epoch
  std::optional<double> fraction;                                                     // 0–1, of a running job
  std::int64_t batch = 0;                                                             // 0: never started
  std::string device;
  int attempts = 0;
  std::string failure_kind, failure; // of a failed one
  std::string result;                // JSON; empty: none
};

// A job changed its state, phase or place.
struct job_change {
  std::int64_t id = 0;
  std::string state, phase;
  bool held = false;
  std::int64_t batch = 0;
  std::string device;
};

// The newest of a running job.
struct progress_event {
  std::int64_t id = 0;
  std::optional<double> fraction;
  std::optional<std::int64_t> step, total;
  std::string message;
};

} // namespace ferry::remote
