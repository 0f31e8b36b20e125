// Speaks to Slurm by its programs, sbatch, squeue, scancel, sinfo and sacct, which are looked for in PATH. Each call waits for its
// program, up to 20 seconds. All errors are those of program_call, or damaged: what a program printed cannot be understood.
#pragma once

#include "runners/slurm_jobs.hpp"

#include <atomic>
#include <memory>

namespace ferry::runners {

class slurm_client {
public:
  // Once `abandoned` is set no call waits any more.
  slurm_client(config::slurm_settings where, std::shared_ptr<const std::atomic<bool>> abandoned)
      : where_(std::move(where)), abandoned_(std::move(abandoned)) {}

  // The id of the Slurm job. After an error it may have been submitted all the same.
  [[nodiscard]] result<std::int64_t> submit(const slurm_order& what) const;
  // The jobs of this user in Slurm's queue, and those that ended there lately.
  [[nodiscard]] result<std::vector<slurm_job>> list() const;
  // TERM to the script of the job, which is its supervisor; with `kill` Slurm ends all of it. No error where it is gone.
  [[nodiscard]] result<void> end(std::int64_t id, bool kill) const;
  // What is wrong with the partition; empty: nothing. An error: Slurm does not answer.
  [[nodiscard]] result<std::string> check() const;
  // The state in which a job ended that the queue has forgotten; empty: unknown. An error: there is no accounting.
  [[nodiscard]] result<std::string> end_of(std::int64_t id) const;

private:
  [[nodiscard]] result<std::string> ask(std::vector<std::string> words) const;

  config::slurm_settings where_;
  std::shared_ptr<const std::atomic<bool>> abandoned_;
};

} // namespace ferry::runners
