// How much of its node's lease a run has left, and when to look again. A run without a lease has no end to watch.
#pragma once

#include "runners/lease_file.hpp"
#include "runners/run_spec.hpp"

#include <chrono>
#include <optional>

namespace ferry::runners {

class lease_watch {
public:
  using clock = std::chrono::steady_clock;

  lease_watch() = default;
  // Errors: the run must not start: its lease has ended, or cannot be read.
  [[nodiscard]] static result<lease_watch> of(const run_spec& spec);

  // It is time to ask the run to end, so that its grace is over when the lease is.
  [[nodiscard]] bool is_near() const { return lease_ && left() <= grace_; }
  [[nodiscard]] bool is_over() const { return lease_ && left() <= std::chrono::milliseconds{0}; }
  [[nodiscard]] std::chrono::milliseconds left() const;
  // When one of the two may become true. The lease counts while the machine sleeps, and poll(2) does not: hence within a second.
  [[nodiscard]] clock::time_point next_due() const;

private:
  std::optional<lease_view> lease_;
  std::chrono::milliseconds grace_{0};
};

} // namespace ferry::runners
