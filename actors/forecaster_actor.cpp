#include "actors/forecaster_actor.hpp"

#include <chrono>
#include <sys/resource.h>
#include <unistd.h>

namespace ferry::actors {
namespace {

constexpr int niceness = 10;

struct forecaster_state {
  using handle = forecaster_actor;

  explicit forecaster_state(handle::pointer) {}

  handle::behavior_type make_behavior() {
    return {
        [](const foresee_starts& what) {
          // Of this thread alone: Linux knows threads as processes here. Where it may not be, forecasts are as urgent as all else.
          (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), niceness);
          const auto began = std::chrono::steady_clock::now();
          auto seen = std::make_shared<const scheduling::forecast>(scheduling::foresee(std::move(*what.picture)));
          const auto took = std::chrono::steady_clock::now() - began;
          return foreseen{std::move(seen), std::chrono::ceil<duration>(took)};
        },
    };
  }
};

} // namespace

forecaster_actor spawn_forecaster(caf::actor_system& system) { return spawn<forecaster_state, caf::detached>(system); }

} // namespace ferry::actors
