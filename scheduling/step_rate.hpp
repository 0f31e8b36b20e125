// How fast a running job gets on, and when it will be done by that. Pure.
#pragma once

#include "model/job.hpp"
#include "model/time.hpp"

#include <optional>

namespace ferry::scheduling {

class step_rate {
public:
  // Progress that is not told as a share, or as steps of a total, tells nothing. Where it falls back, counting begins anew.
  void observe(const progress& how_far, instant at);
  // Until all steps are done. Nothing: too little was seen of it, less than 2% or less than a second.
  [[nodiscard]] std::optional<duration> left(instant now) const;

private:
  struct mark {
    double fraction = 0;
    instant at{};
  };
  std::optional<mark> first_, last_;
};

} // namespace ferry::scheduling
