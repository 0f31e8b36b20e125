// The shims of this daemon: started ahead of need, used for run after run. Not thread-safe; its owner locks.
#pragma once

#include "model/error.hpp"
#include "runners/descriptor.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>

namespace ferry::runners {

struct shim_process {
  descriptor socket; // SOCK_SEQPACKET
  int pid = 0;
};

// Starts a shim: own session, empty environment, default signals, nothing of this process open but the socket.
// Errors: not_found, io.
[[nodiscard]] result<shim_process> start_shim(const std::filesystem::path& program);

// Which shims wait for a run, by their numbers, and how many are worth keeping. After a burst those that were not needed for a
// while are let go.
class idle_shims {
public:
  using clock = std::chrono::steady_clock;

  explicit idle_shims(int ready) : ready_(static_cast<std::size_t>(ready)) {}

  void add(std::uint64_t shim) { waiting_.push_back(shim); }
  void remove(std::uint64_t shim);
  // The one that waits longest, so that one which still puts its last run to disk is not asked at once. 0: none.
  [[nodiscard]] std::uint64_t take();
  [[nodiscard]] bool wants_more() const { return waiting_.size() < ready_; }
  // One that has not been needed for a while; 0: none.
  [[nodiscard]] std::uint64_t take_surplus(clock::time_point now);
  // When take_surplus() is worth asking again.
  [[nodiscard]] clock::time_point surplus_due() const;

private:
  std::size_t ready_;
  std::deque<std::uint64_t> waiting_;
  std::size_t least_ = 0; // that waited at once since the window began
  std::size_t surplus_ = 0;
  clock::time_point window_end_{};
};

} // namespace ferry::runners
