#include "actors/batch_optimizer_actor.hpp"

#include "scheduling/follow_up.hpp"

#include <algorithm>
#include <map>

namespace ferry::actors {
namespace {

using namespace std::chrono_literals;

// One timer never runs longer than this, so that a clock that is set is noticed.
constexpr duration timer_max = 1min, timer_min = 20ms;

struct batch_optimizer_state {
  using handle = batch_optimizer_actor;

  batch_optimizer_state(handle::pointer self, queue_actor queue, scheduling::device_ledger devices, batch_id last_batch,
                        std::shared_ptr<const config::settings> settings, std::shared_ptr<status_board> board)
      : self_(self),
        queue_(std::move(queue)),
        devices_(std::move(devices)),
        last_batch_(last_batch),
        settings_(std::move(settings)),
        board_(std::move(board)) {
    board_->publish(devices_); // here, not when it first runs: whoever has its handle finds the devices
  }

  handle::behavior_type make_behavior() {
    arm_expiry();
    offer(true);
    return {
        [this](candidates& what) { dispatch(std::move(what.in_order)); },
        [this](const slot_freed& what) {
          const auto lease = devices_.find(what.batch);
          if (lease && what.worker_ended)
            devices_.worker_leaves(lease->worker);
          if (devices_.release(what.batch, wall_clock_now())) {
            arm_expiry();
            board_->publish(devices_);
            offer(true);
          }
        },
        [this](const worker_gone& what) {
          if (devices_.remove_worker(what.worker)) {
            board_->publish(devices_);
            offer(true);
          }
        },
        [this](end_all_idle) { end_idle([](const scheduling::warm_worker&) { return true; }); },
        [this](expiry_due) {
          expiry_armed_.reset();
          const auto now = wall_clock_now();
          end_idle([&](const scheduling::warm_worker& worker) { return now - worker.idle_since >= keep_alive(worker); });
          arm_expiry();
        },
        [this](look_again_due) {
          again_armed_.reset();
          offer(true);
        },
        [this](const device_state& what) {
          if (devices_.set_out_of_service(what.device, what.trouble)) {
            board_->publish(devices_);
            offer(true);
          }
        },
        [this](const memory_taken& what) {
          if (devices_.set_memory_taken(what.device, what.mib)) {
            board_->publish(devices_);
            offer(true);
          }
        },
    };
  }

private:
  void dispatch(std::vector<scheduling::candidate> in_order) {
    for (;;) {
      auto decision = scheduling::choose_batch(in_order, devices_, wall_clock_now());
      if (auto* wanted = std::get_if<scheduling::preempt_batches>(&decision)) {
        for (const batch_id batch : wanted->batches)
          devices_.leaving(batch);
        send(self_, queue_, preempt{std::move(wanted->batches), wanted->for_job});
        continue; // others may still fit other devices
      }
      if (const auto* later = std::get_if<scheduling::wait_until>(&decision))
        look_again(later->when);
      auto* chosen = std::get_if<scheduling::dispatch_batch>(&decision);
      if (!chosen)
        break;
      commit(std::move(*chosen), in_order);
    }
    while (auto next = scheduling::choose_follow_up(in_order, devices_, wall_clock_now()))
      commit(std::move(*next), in_order);
    offer(in_order.empty() && scheduling::follow_ups_on_offer(devices_, wall_clock_now()) > 0); // the queue may have more
  }

  // What is chosen is no candidate any more.
  void commit(scheduling::dispatch_batch chosen, std::vector<scheduling::candidate>& in_order) {
    last_batch_.value += 1;
    if (chosen.starts_worker) {
      chosen.place.worker = worker_id{last_batch_.value};
      devices_.add_worker({.id = chosen.place.worker,
                           .device = chosen.place.device,
                           .type = chosen.type,
                           .warm = chosen.warm,
                           .memory_mib = chosen.place.memory_mib});
    }
    for (const worker_id worker : chosen.ends_workers)
      devices_.worker_leaves(worker);
    devices_.grant(last_batch_, chosen.place);
    board_->publish(devices_);
    std::erase_if(in_order, [&](const scheduling::candidate& c) {
      return std::find(chosen.jobs.begin(), chosen.jobs.end(), c.job.id) != chosen.jobs.end();
    });
    send(self_, queue_, start_batch{last_batch_, std::move(chosen)});
  }

  // A job waits for a busy worker; should that take longer than expected, the decision is made anew.
  void look_again(instant when) {
    const auto now = wall_clock_now();
    if (again_armed_ && *again_armed_ > now && *again_armed_ <= when)
      return;
    const auto wait = std::clamp<duration>(when - now, timer_min, timer_max);
    again_armed_ = now + wait;
    send_later(self_, wait, look_again_due{});
  }

  // ---- workers without work ----

  [[nodiscard]] duration keep_alive(const scheduling::warm_worker& worker) const {
    return worker.type < settings_->job_types.size() ? settings_->job_types[worker.type].worker.keep_alive : duration{0};
  }

  template <class Which>
  void end_idle(const Which& which) {
    std::map<std::string, end_workers> expired; // by device
    for (const auto& [id, worker] : devices_.workers())
      if (worker.is_idle() && which(worker))
        expired[worker.device].workers.push_back(id);
    for (auto& [device, what] : expired) {
      for (const worker_id worker : what.workers)
        devices_.worker_leaves(worker);
      send(self_, queue_, end_idle_workers{device, std::move(what)});
    }
  }

  void arm_expiry() {
    std::optional<instant> next;
    for (const auto& [id, worker] : devices_.workers())
      if (worker.is_idle() && (!next || worker.idle_since + keep_alive(worker) < *next))
        next = worker.idle_since + keep_alive(worker);
    if (!next || (expiry_armed_ && *expiry_armed_ <= *next))
      return;
    const auto now = wall_clock_now();
    const auto wait = std::clamp<duration>(*next - now, timer_min, timer_max);
    expiry_armed_ = now + wait;
    send_later(self_, wait, expiry_due{});
  }

  void offer(bool grew) {
    const int slots = devices_.slots_on_offer() + scheduling::follow_ups_on_offer(devices_, wall_clock_now());
    if (slots > 0)
      send(self_, queue_, offer_capacity{slots, grew});
  }

  handle::pointer self_;
  queue_actor queue_;
  scheduling::device_ledger devices_;
  batch_id last_batch_;
  std::shared_ptr<const config::settings> settings_;
  std::shared_ptr<status_board> board_;
  std::optional<instant> expiry_armed_; // when expiry_due comes
  std::optional<instant> again_armed_;  // when look_again_due comes
};

} // namespace

batch_optimizer_actor spawn_batch_optimizer(caf::actor_system& system, queue_actor queue, scheduling::device_ledger devices,
                                            batch_id last_batch, std::shared_ptr<const config::settings> settings,
                                            std::shared_ptr<status_board> board) {
  return spawn<batch_optimizer_state>(system, std::move(queue), std::move(devices), last_batch, std::move(settings),
                                      std::move(board));
}

} // namespace ferry::actors
