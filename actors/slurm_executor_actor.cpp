// What is asked of the executor of the device `slurm`.
#include "actors/slurm_executor_actor.hpp"

#include "actors/slurm_executor_state.hpp"
#include "runners/run_claim.hpp"
#include "runners/run_folders.hpp"

#include <algorithm>
#include <spdlog/spdlog.h>

namespace ferry::actors {

using namespace std::chrono_literals;

namespace {

constexpr std::chrono::milliseconds grace_of_unknown_type{10'000};
// After a run's grace, in which its supervisor ends it by itself: then Slurm ends it.
constexpr std::chrono::seconds supervisor_patience{15}, press_pause{30};
// How long nothing is submitted after Slurm refused a batch, or one came to nothing; how often it is asked whether it is well.
constexpr std::chrono::seconds refusal_rest{30}, check_pause{30}, check_pause_in_trouble{5};

std::chrono::milliseconds grace_of(const config::job_type* type) { return type ? type->grace : grace_of_unknown_type; }

std::string jobs_in_words(const run_batch& what) {
  return std::to_string(what.jobs.size()) + (what.jobs.size() == 1 ? " job" : " jobs");
}

} // namespace

slurm_executor_state::slurm_executor_state(handle::pointer self, slurm_parts parts)
    : self_(self),
      parts_(std::move(parts)),
      reporter_(parts_.queue, parts_.optimizer, parts_.watchdog, parts_.control->directory_of({}).parent_path()),
      runs_dir_(parts_.control->directory_of({}).parent_path()),
      folder_(runners::open_slurm_folder(parts_.data_dir, parts_.shim)) {}

slurm_executor_state::handle::behavior_type slurm_executor_state::make_behavior() {
  if (!folder_)
    spdlog::error("nothing can be given to Slurm: {}", to_string(folder_.error()));
  check();
  send_later(self_, parts_.where.poll, slurm_follow_due{});
  return {
      [this](const run_batch& what) { start(what); },
      [this](const adopt_batch& what) { adopt(what); },
      [this](const stop_batch& what) { stop(what); },
      [](const end_workers&) {}, // there are none
      [](const adopt_worker&) {},
      [this](slurm_follow_due) {
        follow_all();
        send_later(self_, parts_.where.poll, slurm_follow_due{});
      },
      [this](slurm_check_due) { check(); },
  };
}

std::string slurm_executor_state::name_of(batch_id batch) const {
  return folder_ ? runners::slurm_name(folder_->data, batch) : std::string();
}

// ---- starting ---------------------------------------------------------------------------------------------------------------

void slurm_executor_state::start(const run_batch& what) {
  auto spec = reporter_.spec_of(what, parts_.on);
  if (!spec) {
    reporter_.tell_all_failed(what, failure{.kind = failure_kind::input, .message = to_string(spec.error())});
    return;
  }
  if (auto prepared = prepare(what, *spec); !prepared) {
    refuse_for_a_while(to_string(prepared.error()));
    not_started(what.batch, prepared.error().what);
    return;
  }
  const int threads = what.type->threads > 0 ? what.type->threads : parts_.where.cpus * what.place.slots;
  runners::slurm_order order{.batch = what.batch,
                             .name = name_of(what.batch),
                             .comment = "ferry: " + jobs_in_words(what) + " of type " + what.type->name,
                             .memory_mib = what.place.memory_mib,
                             .cpus = threads,
                             .command = folder_->command_for(reporter_.directory_of(what.batch))};
  request(self_, parts_.gate, caf::infinite, submit_to_slurm{std::move(order)})
      .then([this, batch = what.batch](const result<std::int64_t>& id) { submitted(batch, id); });
}

result<void> slurm_executor_state::prepare(const run_batch& what, const runners::run_spec& spec) {
  if (!folder_)
    return fail(folder_.error());
  if (auto made = runners::make_shared_run_folder(runs_dir_, spec); !made)
    return made;
  run one{.of = {run_tally(what.jobs, false), what.type}, .is_submitting = true};
  one.directory = runners::open_directory(reporter_.directory_of(what.batch));
  runs_.insert_or_assign(what.batch, std::move(one));
  return {};
}

void slurm_executor_state::submitted(batch_id batch, const result<std::int64_t>& id) {
  const auto found = runs_.find(batch);
  if (found == runs_.end()) { // it was taken back meanwhile
    if (id)
      end_in_slurm(*id, true);
    return;
  }
  run& of = found->second;
  of.is_submitting = false;
  of.first_list = lists_begun_ + 1;
  if (id) {
    of.slurm_id = *id;
    spdlog::info("batch {} is Slurm job {}", batch.value, *id);
    if (auto written = runners::write_slurm_id(of.directory.get(), *id); !written) // it is found by its name
      spdlog::warn("batch {}: {}", batch.value, to_string(written.error()));
    list_due_ = clock::now();
    return;
  }
  spdlog::error("batch {} could not be given to Slurm: {}", batch.value, to_string(id.error()));
  refuse_for_a_while(id.error().what);
  // Slurm may have it all the same: it is taken back first, so that it never begins.
  const auto claimed = runners::claim_run(of.directory.get(), {});
  if (claimed && *claimed)
    not_started(batch, id.error().what);
}

// Queued again, no attempt counted. Nobody can start it any more.
void slurm_executor_state::not_started(batch_id batch, const std::string& why) {
  runs_.erase(batch);
  runners::remove_run_folder(runs_dir_, batch);
  post(parts_.queue, batch_not_started{batch, {error_code::unavailable, why, {}, {}}, false, false});
  post(parts_.optimizer, slot_freed{batch});
}

// ---- after a restart --------------------------------------------------------------------------------------------------------

void slurm_executor_state::adopt(const adopt_batch& what) {
  const auto [of, is_new] = runs_.try_emplace(what.batch, run{.of = {run_tally(what.jobs, false), what.type}});
  if (!is_new)
    return;
  run& one = of->second;
  one.first_list = lists_begun_ + 1;
  list_due_ = clock::now();
  one.directory = runners::open_directory(reporter_.directory_of(what.batch));
  if (!one.directory)
    return; // what Slurm has decides
  const auto claim = runners::read_claim(one.directory.get());
  if (claim && !claim->by_shim) { // it was taken back, and the daemon died before it could say so
    if (auto reason = scheduling::stop_reason_from(claim->reason))
      withdraw(of, {what.batch, std::move(*reason), claim->jobs});
    else
      not_started(what.batch, "it was taken back from Slurm before it began");
    return;
  }
  one.slurm_id = runners::read_slurm_id(one.directory.get()).value_or(claim ? claim->slurm_job : 0);
  if (const auto wish = runners::read_stop(one.directory.get(), what.batch))
    if (auto reason = scheduling::stop_reason_from(wish->reason)) {
      one.stop = stop_batch{what.batch, std::move(*reason), wish->jobs};
      one.press_due = clock::now() + wish->grace + supervisor_patience;
    }
  follow(of);
}

// ---- stopping ---------------------------------------------------------------------------------------------------------------

void slurm_executor_state::stop(const stop_batch& what) {
  const auto of = runs_.find(what.batch);
  if (of == runs_.end() || of->second.stop)
    return; // it ends already, and no job of it goes on
  of->second.stop = what;
  press(of);
}

// What has not begun is taken back; else its supervisor is asked, and after a while Slurm.
void slurm_executor_state::press(runs::iterator of) {
  run& one = of->second;
  one.press_due = clock::now() + 1s;
  if (!one.directory || !one.stop)
    return; // it ends as soon as Slurm's queue is seen
  const auto text = scheduling::to_text(one.stop->reason);
  const auto claimed = runners::claim_run(one.directory.get(), {.reason = text, .jobs = one.stop->jobs});
  if (!claimed) {
    spdlog::error("batch {} cannot be stopped yet: {}", of->first.value, to_string(claimed.error()));
    return;
  }
  if (*claimed) {
    withdraw(of, *one.stop);
    return;
  }
  if (one.slurm_id == 0)
    if (const auto claim = runners::read_claim(one.directory.get()))
      one.slurm_id = claim->slurm_job;
  const auto grace = grace_of(one.of.type);
  if (runners::read_stop(one.directory.get(), of->first)) { // it has had its time
    one.press_due = clock::now() + press_pause;
    end_in_slurm(one.slurm_id, true);
    return;
  }
  if (auto written = runners::write_stop(one.directory.get(), {of->first, text, grace, one.stop->jobs}); !written) {
    spdlog::error("batch {} cannot be stopped yet: {}", of->first.value, to_string(written.error()));
    return;
  }
  one.press_due = clock::now() + grace + supervisor_patience;
  end_in_slurm(one.slurm_id, false); // it looks at the file now, not only within a second
}

// It never begins: its jobs end as if they had been stopped at once.
void slurm_executor_state::withdraw(runs::iterator of, const stop_batch& why) {
  const auto jobs = of->second.of.tally.jobs();
  if (of->second.slurm_id != 0)
    end_in_slurm(of->second.slurm_id, true);
  runs_.erase(of);
  list_due_ = clock::now() + parts_.where.poll; // to see that Slurm has let go of it
  reporter_.tell_stopped_unlaunched(why, jobs, false);
}

// Where Slurm does not answer it is asked again: press_due, end_strays.
void slurm_executor_state::end_in_slurm(std::int64_t id, bool kill) {
  if (id != 0)
    request(self_, parts_.gate, caf::infinite, end_slurm_job{id, kill}).then([id](const result<done>& ended) {
      if (!ended)
        spdlog::warn("Slurm job {} could not be told to end: {}", id, to_string(ended.error()));
    });
}

// ---- is the partition well? -------------------------------------------------------------------------------------------------

void slurm_executor_state::check() {
  request(self_, parts_.gate, caf::infinite, check_slurm{}).then([this](const result<std::string>& said) {
    if (!said)
      set_trouble(said.error().what);
    else if (!folder_)
      set_trouble(folder_.error().what);
    else if (clock::now() >= refused_until_ || !said->empty())
      set_trouble(*said);
    send_later(self_, trouble_.empty() ? check_pause : check_pause_in_trouble, slurm_check_due{});
  });
}

void slurm_executor_state::set_trouble(const std::string& why) {
  if (why == trouble_)
    return;
  if (why.empty())
    spdlog::info("Slurm's partition {} is well", parts_.where.partition);
  else
    spdlog::error("nothing is given to Slurm for now: {}", why);
  trouble_ = why;
  const device_state changed{std::string(slurm_device), why, false};
  post(parts_.optimizer, changed); // before it hears of a batch that could not be started for that
  post(parts_.queue, changed);
}

void slurm_executor_state::refuse_for_a_while(const std::string& why) {
  refused_until_ = clock::now() + refusal_rest;
  set_trouble(why);
}

// ---- the device -------------------------------------------------------------------------------------------------------------

slurm_executor_actor spawn_slurm_executor(caf::actor_system& system, slurm_parts parts) {
  return spawn<slurm_executor_state, caf::detached>(system, std::move(parts));
}

device slurm_device_of(const config::settings& settings) {
  const auto& slurm = settings.devices.slurm;
  std::vector<std::string> types = slurm.job_types;
  if (types.empty())
    for (const auto& type : settings.job_types)
      if (type.runner == config::runner_kind::process)
        types.push_back(type.name);
  std::sort(types.begin(), types.end());
  return {.id = std::string(slurm_device),
          .kind = slurm.has_gpus() ? device_kind::gpu : device_kind::cpu,
          .name = "Slurm partition " + slurm.partition + (slurm.gres.empty() ? "" : ", " + slurm.gres),
          .slots = slurm.slots,
          .memory_mib = slurm.memory_mib * slurm.slots,
          .threads = slurm.cpus * slurm.slots,
          .job_types = std::move(types),
          .labels = {{node_label, std::string(slurm_device)}},
          .lease_memory_mib_max = slurm.memory_mib};
}

} // namespace ferry::actors
