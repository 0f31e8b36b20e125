#include "actors/queue_state.hpp"

namespace ferry::actors {

queue_state::queue_state(handle::pointer self, storage_actor storage, history_actor history, std::shared_ptr<queue_start> start)
    : self_(self),
      storage_(std::move(storage)),
      history_(std::move(history)),
      settings_(start->settings),
      devices_(start->devices),
      board_(start->board),
      events_(start->events),
      type_names_(start->type_names),
      run_directory_(start->run_directory),
      jobs_(std::move(start->jobs)),
      needs_(std::move(start->needs)),
      groups_(std::move(start->groups)),
      named_(std::move(start->named)),
      users_(std::move(start->users)),
      share_(std::move(start->share)),
      knowledge_(std::move(start->knowledge)),
      estimates_(std::move(start->estimates)),
      tolerated_(std::move(start->tolerated)),
      last_job_(start->last_job),
      last_order_key_(start->last_order_key),
      paused_(start->paused),
      completed_(start->completed),
      failed_(start->failed),
      cancelled_(start->cancelled),
      to_cancel_(std::move(start->to_cancel)),
      held_types_(std::move(start->held_types)),
      promises_(std::move(start->promises)) {
  knowledge_.resize(type_names_.size());
  for (const auto& [key, id] : start->unique_keys)
    keys_.restore(key, id);
  for (restored_batch& restored : start->running) {
    for (const auto& job : restored.jobs) {
      running_jobs_.emplace(job.id, restored.id);
      named_.started(job.named_group);
      users_.started(job.user);
    }
    running_batch batch{.device = restored.device, .type = restored.type, .started = restored.started, .at = phase::running};
    if (restored.device == slurm_device) // it may still wait there: its executor tells when it began
      batch.at = phase::starting;
    for (const auto& job : restored.jobs) {
      batch.members.push_back({.job = job});
      if (job.held) // it was asked to leave by an earlier daemon
        batch.members.back().wish = scheduling::user_wish::suspend;
      batch.members.back().job.held = false;
    }
    running_.emplace(restored.id, std::move(batch));
  }
  publish();
}

queue_state::handle::behavior_type queue_state::make_behavior() {
  return {
      [this](submit_jobs& what) { return submit(what); },
      [this](const cancel_job& what) { return cancel(what); },
      [this](const hold_job& what) { return hold(what.id, {}); },
      [this](const release_job& what) { return release(what.id); },
      [this](const move_job& what) { return move(what); },
      [this](edit_job& what) { return edit(what); },
      [this](const retry_job& what) { return retry(what); },
      [this](clear_jobs& what) { return clear(std::move(what)); },
      [this](const set_paused& what) { return pause(what.paused); },
      [this](const suspend_job& what) { return suspend(what.id); },
      [this](suspend_all) { return suspend_everything(); },
      [this](const resume_job& what) { return resume(what.id); },
      [this](resume_all) { return resume_everything(); },
      [this](const resume_as_new& what) { return resume_as_new_job(what.id); },
      [this](const hold_type& what) { return hold(what); },
      [this](const release_type& what) { return release(what); },
      [this](const change_group& what) { return change(what); },
      [this](read_groups) { return list_groups(); },
      [this](const read_job& what) { return read_one(what.id); },
      [this](const read_jobs& what) { return read_many(what); },
      [this](const read_queue& what) { return read_page(what); },
      [this](const await_job& what) { return await(what); },
      [this](const wait_due& what) { wait_over(what); },
      [this](read_running) { return running_now(); },
      [this](const explain_job& what) { return explain(what.id); },
      [this](const read_batches& what) { return plan(what); },
      [this](const try_change& what) { return try_out(what); },
      [this](try_submit& what) { return try_out(std::make_shared<job_request>(std::move(what.job))); },
      [this](read_statistics) { return result<statistics>(measured()); },
      [this](picture_due) { picture_is_due(); },
      [this](const begin_work& what) { begin(what); },
      [this](const offer_capacity& what) { take_offer(what); },
      [this](start_batch& what) { start(what); },
      [this](const preempt& what) { give_devices_back(what); },
      [this](end_idle_workers& what) {
        if (const auto executor = parts_->executors.find(what.device); executor != parts_->executors.end())
          send(self_, executor->second, std::move(what.what));
      },
      [this](rest_due) {
        trouble_.clear();
        queue_changed();
      },
      [this](const delays_due& what) { delays_over(what); },
      [this](const device_state& what) { device_changed(what); },
      [this](const memory_taken& what) { send(self_, parts_->optimizer, what); },
      [this](const disk_state& what) {
        disk_trouble_ = what.trouble;
        queue_changed();
      },
      [this](const batch_began& what) { began(what); },
      [this](const batch_progressed& what) { progressed(what); },
      [this](const batch_noted& what) { noted(what); },
      [this](const batch_not_started& what) { give_back(what, true); },
      [this](job_over& what) { job_is_over(what); },
      [this](const batch_over& what) { over(what); },
      [this](batch_waits& what) { waits(std::move(what)); },
  };
}

queue_actor spawn_queue(caf::actor_system& system, storage_actor storage, history_actor history,
                        std::shared_ptr<queue_start> start) {
  return spawn<queue_state>(system, std::move(storage), std::move(history), std::move(start));
}

} // namespace ferry::actors
