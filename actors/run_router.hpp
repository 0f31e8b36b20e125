// Brings the reports of runs, which come on run_control's own thread, to the executor that each run belongs to.
#pragma once

#include "actors/interfaces.hpp"

#include <mutex>
#include <unordered_map>

namespace ferry::actors {

class run_router {
public:
  void route(batch_id batch, local_executor_actor to) {
    const std::lock_guard lock(mutex_);
    routes_.insert_or_assign(batch, std::move(to));
  }

  void route(worker_id worker, local_executor_actor to) {
    const std::lock_guard lock(mutex_);
    worker_routes_.insert_or_assign(worker, std::move(to));
  }

  void deliver(runners::run_control::report what) {
    local_executor_actor to;
    {
      const std::lock_guard lock(mutex_);
      if (const auto of_worker = worker_routes_.find(what.worker); of_worker != worker_routes_.end()) {
        to = of_worker->second;
      } else {
        const auto found = routes_.find(what.batch);
        if (found == routes_.end())
          return;
        to = found->second;
        if (what.over)
          routes_.erase(found);
      }
    }
    post(to, run_reported{std::move(what)});
  }

  void forget(batch_id batch) {
    const std::lock_guard lock(mutex_);
    routes_.erase(batch);
  }

  void forget(worker_id worker) {
    const std::lock_guard lock(mutex_);
    worker_routes_.erase(worker);
  }

private:
  std::mutex mutex_;
  std::unordered_map<batch_id, local_executor_actor> routes_;
  std::unordered_map<worker_id, local_executor_actor> worker_routes_;
};

} // namespace ferry::actors
