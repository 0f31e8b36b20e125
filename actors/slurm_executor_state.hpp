// The state of the executor of the device `slurm`. Its handlers stand in two files: slurm_executor_actor.cpp (what is asked of it)
// and slurm_executor_follow.cpp (what becomes of runs).
#pragma once

#include "actors/run_reporter.hpp"
#include "actors/slurm_executor_actor.hpp"
#include "runners/run_directory.hpp"
#include "runners/slurm_folder.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>

namespace ferry::actors {

class slurm_executor_state {
public:
  using handle = slurm_executor_actor;

  slurm_executor_state(handle::pointer self, slurm_parts parts);
  handle::behavior_type make_behavior();

private:
  using clock = std::chrono::steady_clock;

  struct run {
    followed_run of;
    runners::descriptor directory = {}; // none: it is gone
    runners::event_reader events = {};
    std::int64_t slurm_id = 0;                         // 0: not known, or not yet
    bool is_submitting = false;                        // sbatch is on its way
    bool has_begun = false;                            // it told something
    std::uint64_t first_list = 0;                      // the first look at Slurm's queue that has to find it
    std::string state = {}, nodes = {};                // as Slurm has it, last seen
    std::optional<clock::time_point> ended_since = {}; // Slurm has it no more, and there is no record of its end
    std::optional<runners::run_exited> exit = {};      // Slurm ended it: kept until Slurm has said why
    bool is_looked_up = false;                         // in Slurm's accounting, since the queue has forgotten it
    std::optional<stop_batch> stop = {};
    clock::time_point press_due = clock::time_point::max(); // when to ask again, or harder, should it live then
  };
  using runs = std::map<batch_id, run>;

  // slurm_executor_actor.cpp
  void start(const run_batch& what);
  [[nodiscard]] result<void> prepare(const run_batch& what, const runners::run_spec& spec);
  void submitted(batch_id batch, const result<std::int64_t>& id);
  void adopt(const adopt_batch& what);
  void stop(const stop_batch& what);
  void press(runs::iterator of);
  void withdraw(runs::iterator of, const stop_batch& why);
  void end_in_slurm(std::int64_t id, bool kill);
  void check();
  void set_trouble(const std::string& why);
  void refuse_for_a_while(const std::string& why);
  void not_started(batch_id batch, const std::string& why);
  [[nodiscard]] std::string name_of(batch_id batch) const;

  // slurm_executor_follow.cpp
  void follow_all();
  bool follow(runs::iterator of);
  void list();
  void took(std::uint64_t number, const slurm_jobs& jobs);
  void compare(runs::iterator of, const runners::slurm_job* job);
  void ended_in_slurm(runs::iterator of, bool is_known);
  void never_began(runs::iterator of);
  void end_as_slurm_says(runs::iterator of);
  void end_strays(const slurm_jobs& jobs);
  [[nodiscard]] static std::string place_of(const run& of);

  handle::pointer self_;
  slurm_parts parts_;
  run_reporter reporter_;
  std::filesystem::path runs_dir_;
  result<runners::slurm_folder> folder_;
  runs runs_;
  std::string trouble_ = slurm_not_asked; // of the device, as others know it
  clock::time_point refused_until_{};
  std::uint64_t lists_begun_ = 0;
  bool is_listing_ = false;
  clock::time_point list_due_{};
};

} // namespace ferry::actors
