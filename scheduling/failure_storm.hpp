// Holds a job type whose jobs fail one after the other: a broken installation must not burn through a queue overnight. Pure.
#pragma once

#include "config/job_type.hpp"
#include "model/job.hpp"
#include "model/time.hpp"

#include <deque>
#include <optional>
#include <string>

namespace ferry::scheduling {

class failure_storm {
public:
  // An attempt of a job of the type has ended. What fails for its input, its device or a lost machine says nothing about the type,
  // and cancelled jobs do not either. The reason to hold the type, when this failure was the last that it takes.
  [[nodiscard]] std::optional<std::string> job_ended(const config::job_type& type, job_state state,
                                                     const std::optional<failure>& why, instant now);
  // The type was released: what was counted is forgotten.
  void forget() { failures_.clear(); }

private:
  std::deque<instant> failures_; // since the last success
};

} // namespace ferry::scheduling
