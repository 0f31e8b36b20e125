// What keeps a queued job from starting on each device, found with the predicates that decide. Pure.
#pragma once

#include "scheduling/forecast.hpp"

#include <optional>
#include <string>
#include <vector>

namespace ferry::scheduling {

struct obstacle {
  std::string device;
  std::string why;                   // a phrase: "needs 20,480 MiB; 8,192 MiB of 24,576 MiB are free"
  std::optional<instant> until = {}; // when that is expected to be over
  std::vector<job_id> jobs = {};     // that have to end, or to start, before
};

// One for each device in the picture. `job` is among those in order.
[[nodiscard]] std::vector<obstacle> find_obstacles(const queued_job& job, const queue_picture& picture);

} // namespace ferry::scheduling
