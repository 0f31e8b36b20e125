// The partition of a Slurm cluster that batches may be given to, as `[devices.slurm]` declares it: docs/slurm.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace ferry::config {

struct slurm_settings {
  std::string partition;                   // empty: nothing is given to Slurm
  std::string gres;                        // that each batch asks for: "gpu:1"; empty: none
  int slots = 4;                           // batches that Slurm may have at once, waiting ones among them
  std::int64_t memory_mib = 16'384;        // that one batch may ask for
  int cpus = 1;                            // for each slot of a batch
  std::chrono::milliseconds time_limit{0}; // of a batch; 0: the partition's
  std::vector<std::string> extra;          // further options of sbatch
  std::vector<std::string> job_types;      // that may run there; empty: all with a process of their own
  std::chrono::milliseconds poll{2'000};   // between two looks at what runs there

  [[nodiscard]] bool is_on() const { return !partition.empty(); }
  [[nodiscard]] bool has_gpus() const { return gres.find("gpu") != std::string::npos; }
};

} // namespace ferry::config
