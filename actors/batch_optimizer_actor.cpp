#include "actors/batch_optimizer_actor.hpp"

#include <algorithm>

namespace ferry::actors {
namespace {

struct batch_optimizer_state {
  using handle = batch_optimizer_actor;

  batch_optimizer_state(handle::pointer self, queue_actor queue, scheduling::device_ledger devices, batch_id last_batch,
                        std::shared_ptr<status_board> board)
      : self_(self), queue_(std::move(queue)), devices_(std::move(devices)), last_batch_(last_batch), board_(std::move(board)) {}

  handle::behavior_type make_behavior() {
    board_->publish(devices_.accounts());
    offer(true);
    return {
        [this](candidates& what) { dispatch(std::move(what.in_order)); },
        [this](const slot_freed& what) {
          if (devices_.release(what.batch)) {
            board_->publish(devices_.accounts());
            offer(true);
          }
        },
        [this](const device_state& what) {
          if (devices_.set_out_of_service(what.device, what.trouble)) {
            board_->publish(devices_.accounts());
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
      auto* chosen = std::get_if<scheduling::dispatch_batch>(&decision);
      if (!chosen)
        break;
      last_batch_.value += 1;
      devices_.grant(last_batch_, chosen->place);
      board_->publish(devices_.accounts());
      std::erase_if(in_order, [&](const scheduling::candidate& c) {
        return std::find(chosen->jobs.begin(), chosen->jobs.end(), c.job.id) != chosen->jobs.end();
      });
      send(self_, queue_, start_batch{last_batch_, std::move(*chosen)});
    }
    offer(false);
  }

  void offer(bool grew) {
    if (const int slots = devices_.slots_on_offer(); slots > 0)
      send(self_, queue_, offer_capacity{slots, grew});
  }

  handle::pointer self_;
  queue_actor queue_;
  scheduling::device_ledger devices_;
  batch_id last_batch_;
  std::shared_ptr<status_board> board_;
};

} // namespace

batch_optimizer_actor spawn_batch_optimizer(caf::actor_system& system, queue_actor queue, scheduling::device_ledger devices,
                                            batch_id last_batch, std::shared_ptr<status_board> board) {
  return spawn<batch_optimizer_state>(system, std::move(queue), std::move(devices), last_batch, std::move(board));
}

} // namespace ferry::actors
