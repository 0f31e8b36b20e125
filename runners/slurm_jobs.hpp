// What Slurm is told and what it answers, as text: the words of its programs' command lines, and what they print. Pure.
#pragma once

#include "config/slurm_settings.hpp"
#include "model/error.hpp"
#include "model/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ferry::runners {

// One batch, as Slurm is to get it.
struct slurm_order {
  batch_id batch;
  std::string name;            // of the Slurm job: slurm_name
  std::string comment;         // for people who look at squeue
  std::int64_t memory_mib = 0; // 0: what the partition gives
  int cpus = 1;
  std::vector<std::string> command; // a script, and its arguments
};

// By its name a batch is found in Slurm's queue when its id was not written down: `data` tells one data directory from others.
[[nodiscard]] std::string slurm_name(std::string_view data, batch_id batch);
// Nothing for a name that is not of this data directory.
[[nodiscard]] std::optional<batch_id> batch_of_slurm_name(std::string_view data, std::string_view name);

[[nodiscard]] std::vector<std::string> sbatch_words(const config::slurm_settings& where, const slurm_order& what);
// "123", or "123;cluster", as sbatch --parsable prints it. Errors: damaged.
[[nodiscard]] result<std::int64_t> slurm_id_from(std::string_view printed);

struct slurm_job {
  std::int64_t id = 0;
  std::string name;
  std::string state;  // as Slurm calls it: "PENDING", "NODE_FAIL"
  std::string reason; // why it waits: "Resources"
  std::string nodes;
  friend bool operator==(const slurm_job&, const slurm_job&) = default;
};
[[nodiscard]] std::vector<std::string> squeue_words(unsigned user);
// Lines that are none of these are passed over, such as those of job arrays.
[[nodiscard]] std::vector<slurm_job> slurm_jobs_from(std::string_view printed);
// The state that sacct prints for a job, without what it says beside it ("CANCELLED by 1000"). Empty: it knows none.
[[nodiscard]] std::string slurm_state_from(std::string_view printed);

enum class slurm_stage { waiting, running, ended };
// A state that nobody knows counts as running: it may.
[[nodiscard]] slurm_stage stage_of(std::string_view state);

// What is wrong with the partition, from `sinfo --format=%a`; empty: nothing.
[[nodiscard]] std::string partition_trouble(std::string_view partition, std::string_view printed);

// "1-02:03:04", rounded up to seconds: a time as Slurm reads it.
[[nodiscard]] std::string slurm_time(std::int64_t ms);

} // namespace ferry::runners
