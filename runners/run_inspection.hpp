// What a run directory tells about its run when nobody follows it, and the end of what a lost run left behind.
#pragma once

#include "runners/process_table.hpp"
#include "runners/run_control.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace ferry::runners {

[[nodiscard]] run_condition inspect_run(const std::filesystem::path& directory);

// What a run's processes are known by: FERRY_RUN_DIR in their environment, the session or group of its process (as long as that
// lives, with the start time written down), and descent from any of these. Nothing survives a boot.
//
// The jobs of a worker's batch are at work in the worker: its traces are those of the worker, known by FERRY_WORKER_DIR.
class run_traces {
public:
  explicit run_traces(const std::filesystem::path& directory);
  // Of a worker without a batch.
  [[nodiscard]] static run_traces of_worker(const std::filesystem::path& directory);
  [[nodiscard]] std::vector<process_entry> survivors() const;

private:
  run_traces() = default;
  void read_started(int directory);

  std::string assignment_; // FERRY_RUN_DIR=…
  bool other_boot_ = false;
  int pid_ = 0; // of the run's process; 0: not known
  std::uint64_t start_ticks_min_ = 0, start_ticks_max_ = 0;
};

// Every live process of a worker of this folder, by worker.
[[nodiscard]] std::map<worker_id, std::vector<int>> find_worker_processes(const std::filesystem::path& workers);

// Every live process that was started for a run of this folder, by run.
[[nodiscard]] std::map<batch_id, std::vector<int>> find_run_processes(const std::filesystem::path& runs);

// KILL to every survivor; true when there was none, looking twice, since one that was just born can be missed once.
[[nodiscard]] bool end_now(const run_traces& traces);

} // namespace ferry::runners
