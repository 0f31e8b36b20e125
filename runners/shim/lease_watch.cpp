#include "runners/shim/lease_watch.hpp"

#include <algorithm>

namespace ferry::runners {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds pause_max = 1s;
constexpr std::chrono::milliseconds pause_after = 100ms; // once it is over: the run is being killed

} // namespace

result<lease_watch> lease_watch::of(const run_spec& spec) {
  lease_watch made;
  if (spec.lease_file.empty())
    return made;
  auto lease = lease_view::open(spec.lease_file);
  if (!lease)
    return fail(error_code::unavailable, "not started: its node's lease cannot be read: " + lease.error().what);
  made.lease_ = std::move(*lease);
  made.grace_ = std::max(spec.grace, 0ms);
  if (made.is_over())
    return fail(error_code::unavailable, "not started: its node's lease had ended");
  return made;
}

std::chrono::milliseconds lease_watch::left() const {
  return std::chrono::floor<std::chrono::milliseconds>(lease_->until() - boot_clock::now());
}

lease_watch::clock::time_point lease_watch::next_due() const {
  if (!lease_)
    return clock::time_point::max();
  const auto to_end = left(), to_ask = to_end - grace_;
  const auto wait = to_ask > 0ms ? to_ask : to_end > 0ms ? to_end : pause_after;
  return clock::now() + std::min(wait, pause_max);
}

} // namespace ferry::runners
