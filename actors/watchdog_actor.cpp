#include "actors/watchdog_actor.hpp"

#include <algorithm>
#include <spdlog/spdlog.h>
#include <unordered_map>

namespace ferry::actors {
namespace {

// One timer never runs longer than this, so that a clock that is set is noticed.
constexpr duration timer_max = std::chrono::minutes(1);

struct watchdog_state {
  using handle = watchdog_actor;

  explicit watchdog_state(handle::pointer self) : self_(self) {}

  handle::behavior_type make_behavior() {
    return {
        [this](const watch_batch& what) {
          watched_.insert_or_assign(what.batch, what);
          check(what.batch);
        },
        [this](const forget_batch& what) { watched_.erase(what.batch); },
        [this](const deadline_due& what) { check(what.batch); },
    };
  }

private:
  void check(batch_id batch) {
    const auto found = watched_.find(batch);
    if (found == watched_.end())
      return;
    const auto left = found->second.deadline - wall_clock_now();
    if (left > duration::zero()) {
      send_later(self_, std::min(left, timer_max), deadline_due{batch});
      return;
    }
    spdlog::warn("batch {} has run for longer than its max_run_time: stopping it", batch.value);
    send(self_, found->second.executor, stop_batch{batch, scheduling::stopped_by_timeout});
    watched_.erase(found);
  }

  handle::pointer self_;
  std::unordered_map<batch_id, watch_batch> watched_;
};

} // namespace

watchdog_actor spawn_watchdog(caf::actor_system& system) { return spawn<watchdog_state>(system); }

} // namespace ferry::actors
