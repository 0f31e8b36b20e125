// How far a transfer is, as people see it. Pure.
#pragma once

#include "cli/terminal.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace ferry::cli {

struct transfer_state {
  std::string_view name;
  std::size_t number = 1, files = 1; // the third of twelve files
  std::int64_t done = 0, total = 0;  // bytes of it
  std::int64_t moved = 0;            // of them by this transfer, in
  std::chrono::milliseconds spent{};
};

// "3/12 china.jpg ▓▓▓▓░░░░ 40%  3.2 MiB of 8 MiB  210 MiB/s", no wider than the terminal.
[[nodiscard]] std::string transfer_line(const transfer_state& s, const style& look);

// Draws that line, at most ten times a second.
class transfer_display {
public:
  transfer_display(bool enabled, const style& look, std::size_t files) : line_(enabled), look_(look), files_(files) {}

  void begin(std::string name);
  void show(std::int64_t done, std::int64_t total);
  void clear() { line_.clear(); }

private:
  using steady = std::chrono::steady_clock;

  live_line line_;
  style look_;
  std::size_t files_, number_ = 0;
  std::string name_;
  std::int64_t from_ = -1; // where this transfer began
  steady::time_point began_, shown_;
};

} // namespace ferry::cli
