// What is told to those who follow along: written on the event board as it happens.
#include "actors/queue_state.hpp"

#include <array>

namespace ferry::actors {

std::string_view queue_state::name_of(phase one) {
  static constexpr std::array names{"starting", "starting", "running", "stopping", "ending"};
  return names.at(static_cast<std::size_t>(one));
}

// Of a job that is queued or runs: what it is now.
void queue_state::tell(job_id id, bool is_edited) const {
  if (const auto queued = jobs_.find(id)) {
    events_->job_changed({.id = id, .held = queued->held || needs_.culprit(id), .is_edited = is_edited});
  } else if (const auto of = running_jobs_.find(id); of != running_jobs_.end()) {
    const running_batch& batch = running_.at(of->second);
    events_->job_changed(
        {.id = id, .state = job_state::running, .phase = name_of(batch.at), .batch = of->second, .device = batch.device});
  }
}

void queue_state::tell(const running_batch& batch) const {
  for (const member& one : batch.members)
    if (!one.over)
      tell(one.job.id);
}

void queue_state::tell_end(job_id id, job_state how, const std::optional<batch_id>& batch, const std::string& device) const {
  events_->job_changed({.id = id, .state = how, .batch = batch.value_or(batch_id{}), .device = device});
}

} // namespace ferry::actors
