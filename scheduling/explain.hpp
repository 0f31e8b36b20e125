// "Why does it wait?", answered from the same values that decide. Pure.
#pragma once

#include "config/job_type.hpp"
#include "model/device.hpp"
#include "scheduling/job_queue.hpp"

#include <optional>
#include <string>
#include <vector>

namespace ferry::scheduling {

struct queue_conditions {
  bool paused = false;
  std::string trouble = {}; // why nothing can be started at the moment; empty: no trouble
};

// One short phrase for a queued job. `type` is null when the configuration no longer has it.
[[nodiscard]] std::string why_waiting(const queued_job& job, std::optional<std::size_t> position, const config::job_type* type,
                                      const std::vector<device>& devices, const queue_conditions& conditions);

} // namespace ferry::scheduling
