// What becomes of the runs that Slurm has: by the files of their directories, and by its queue where these do not tell.
#include "actors/slurm_executor_state.hpp"
#include "runners/run_claim.hpp"
#include "scheduling/slurm_end.hpp"

#include <spdlog/spdlog.h>
#include <utility>

namespace ferry::actors {

using namespace std::chrono_literals;

namespace {

// What a supervisor wrote last may take so long to be seen from another machine.
constexpr auto files_settle = 5s;
constexpr auto idle_list_pause = 30s;

} // namespace

void slurm_executor_state::follow_all() {
  const auto now = clock::now();
  for (auto next = runs_.begin(); next != runs_.end();) {
    const auto of = next++; // it may go
    if (!follow(of) && now >= of->second.press_due)
      press(of);
  }
  if (!runs_.empty() || now >= list_due_)
    list();
}

// Tells what is new in its events; true: that it is over, and it is here no more.
bool slurm_executor_state::follow(runs::iterator of) {
  run& one = of->second;
  if (!one.directory)
    return false;
  std::vector<runners::run_event> events;
  one.events.read(one.directory.get(), events);
  one.has_begun = one.has_begun || !events.empty();
  bool is_over = false;
  if (!events.empty())
    if (auto* exited = std::get_if<runners::run_exited>(&events.back())) {
      if (exited->stopped_by == runners::ended_by_slurm && one.stop)
        exited->stopped_by = scheduling::to_text(one.stop->reason); // it saw Slurm's signal before it saw why
      is_over = exited->stopped_by != runners::ended_by_slurm;
      if (!is_over) {
        one.exit = *exited;
        events.pop_back();
      }
    }
  reporter_.tell(of->first, one.of, events, is_over);
  if (is_over) {
    auto ended = std::move(one.of);
    const auto batch = of->first;
    runs_.erase(of);
    reporter_.tell_end(batch, ended, false);
  }
  return is_over;
}

// ---- Slurm's queue ----------------------------------------------------------------------------------------------------------

void slurm_executor_state::list() {
  if (is_listing_ || !folder_)
    return;
  is_listing_ = true;
  request(self_, parts_.gate, caf::infinite, list_slurm_jobs{})
      .then([this, number = ++lists_begun_](const result<slurm_jobs>& jobs) {
        is_listing_ = false;
        list_due_ = clock::now() + idle_list_pause;
        if (jobs)
          took(number, *jobs);
        else // nothing is concluded: what Slurm has goes on
          set_trouble(jobs.error().what);
      });
}

void slurm_executor_state::took(std::uint64_t number, const slurm_jobs& jobs) {
  std::map<batch_id, const runners::slurm_job*> ours;
  for (const auto& job : jobs)
    if (const auto batch = runners::batch_of_slurm_name(folder_->data, job.name)) {
      auto& known = ours[*batch];
      if (!known || runners::stage_of(known->state) == runners::slurm_stage::ended)
        known = &job; // of two by one name, as after a copy of the data directory, the one that may live
    }
  for (auto next = runs_.begin(); next != runs_.end();) {
    const auto of = next++;
    const auto found = ours.find(of->first);
    if (found != ours.end() || (!of->second.is_submitting && of->second.first_list <= number))
      compare(of, found == ours.end() ? nullptr : found->second);
  }
  end_strays(jobs);
}

void slurm_executor_state::compare(runs::iterator of, const runners::slurm_job* job) {
  run& one = of->second;
  if (job && !one.is_submitting) {
    if (one.slurm_id != job->id && one.directory)
      if (auto written = runners::write_slurm_id(one.directory.get(), job->id); !written)
        spdlog::warn("batch {}: {}", of->first.value, to_string(written.error()));
    one.slurm_id = job->id;
  }
  if (job) {
    one.state = job->state;
    one.nodes = job->nodes;
  }
  const auto stage = job ? runners::stage_of(job->state) : runners::slurm_stage::ended;
  if (stage == runners::slurm_stage::ended) {
    if (!one.is_submitting)
      ended_in_slurm(of, job != nullptr);
    return;
  }
  one.ended_since.reset();
  if (!one.directory)
    end_in_slurm(one.slurm_id, true); // nobody could tell what becomes of it
  else if (!one.has_begun)
    post(parts_.queue,
         batch_waits{of->first, stage == runners::slurm_stage::waiting
                                    ? place_of(one) + " waits in its queue" + (job->reason.empty() ? "" : ": " + job->reason)
                                    : place_of(one) + " is starting"});
}

std::string slurm_executor_state::place_of(const run& of) {
  return "Slurm job " + (of.slurm_id == 0 ? std::string("(of unknown number)") : std::to_string(of.slurm_id)) +
         (of.nodes.empty() ? "" : " on " + of.nodes);
}

// Slurm has it no more. Its record may be on its way; else it is dead once its lock is free and nobody can start it.
void slurm_executor_state::ended_in_slurm(runs::iterator of, bool is_known) {
  run& one = of->second;
  if (follow(of))
    return;
  const auto now = clock::now();
  if (!one.ended_since)
    one.ended_since = now;
  if (now - *one.ended_since < files_settle && !(one.exit && is_known))
    return;
  if (!one.directory) {
    not_started(of->first, "its run directory is gone");
    return;
  }
  if (runners::probe_lock(one.directory.get()) == runners::lock_state::held)
    return; // it lives, whatever Slurm says
  const auto claimed = runners::claim_run(one.directory.get(), {});
  if (!claimed)
    return; // a full disk: at the next look
  if (*claimed) {
    never_began(of);
    return;
  }
  if (auto ended = parts_.control->end_survivors(of->first); !ended) { // where the node is this machine
    spdlog::error("{}", to_string(ended.error()));
    return;
  }
  if (is_known || one.slurm_id == 0) {
    end_as_slurm_says(of);
    return;
  }
  if (std::exchange(one.is_looked_up, true))
    return;
  request(self_, parts_.gate, caf::infinite, read_slurm_end{one.slurm_id})
      .then([this, batch = of->first](const result<std::string>& state) {
        const auto found = runs_.find(batch);
        if (found == runs_.end())
          return;
        found->second.state = state ? *state : std::string();
        end_as_slurm_says(found);
      });
}

void slurm_executor_state::never_began(runs::iterator of) {
  const run& one = of->second;
  const std::string place = place_of(one);
  if (one.stop) {
    withdraw(of, stop_batch(*one.stop));
    return;
  }
  if (one.state == "CANCELLED") {
    end_as_slurm_says(of);
    return;
  }
  // Its script ran there, and found no run directory or no supervisor.
  if (one.state == "FAILED" || one.state == "COMPLETED")
    refuse_for_a_while(place + " ended (" + one.state + ") without starting its batch: that node has to see " +
                       parts_.data_dir.string() + " under this path");
  not_started(of->first, place + " ended before its batch began" + (one.state.empty() ? "" : " (" + one.state + ")"));
}

void slurm_executor_state::end_as_slurm_says(runs::iterator of) {
  const auto batch = of->first;
  run one = std::move(of->second);
  runs_.erase(of);
  const auto judged = scheduling::judge_slurm_end(one.state, place_of(one), one.of.type);
  runners::run_exited end = one.exit.value_or(runners::run_exited{.at = wall_clock_now()});
  // The supervisor recorded an end that Slurm has no name for: somebody's signal. The process tells how it took that.
  const bool told_enough = one.exit && judged.broken && judged.broken->kind == failure_kind::lost && one.state != "NODE_FAIL";
  end.stopped_by = one.stop ? scheduling::to_text(one.stop->reason) : judged.stopped_by;
  if (one.stop)
    end.stopped_jobs = one.stop->jobs;
  else if (judged.broken && !told_enough)
    end.broken = judged.broken;
  spdlog::warn("batch {} ended in Slurm: {} ({})", batch.value, place_of(one), one.state.empty() ? "unknown" : one.state);
  reporter_.tell(batch, one.of, {end}, true);
  if (!one.stop && judged.for_good)
    one.of.tally.give_up(*judged.for_good);
  reporter_.tell_end(batch, one.of, false);
}

// Batches that were taken back, or whose directories are gone, need not wait there any longer: they would do nothing.
void slurm_executor_state::end_strays(const slurm_jobs& jobs) {
  for (const auto& job : jobs) {
    const auto batch = runners::batch_of_slurm_name(folder_->data, job.name);
    if (!batch || runs_.contains(*batch) || runners::stage_of(job.state) == runners::slurm_stage::ended)
      continue;
    const auto directory = runners::open_directory(reporter_.directory_of(*batch));
    const auto claim = directory ? runners::read_claim(directory.get()) : std::nullopt;
    if (!directory || (claim && !claim->by_shim)) {
      list_due_ = clock::now() + parts_.where.poll;
      end_in_slurm(job.id, true);
    }
  }
}

} // namespace ferry::actors
