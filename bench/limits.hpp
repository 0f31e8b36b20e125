// What this machine can do at best, measured in the same run as the figures that are held against it.
#pragma once

#include <cstddef>
#include <filesystem>

namespace ferry::bench {

// How far a spinning core was disturbed by others.
struct disturbance {
  double lost_percent = 0; // of the time, in gaps above 0.1 ms
  double longest_ms = 0;
  [[nodiscard]] bool is_quiet() const { return lost_percent < 1.0 && longest_ms < 3.0; }
};
[[nodiscard]] disturbance measure_disturbance(double seconds);

struct machine_limits {
  double syncs = 0;                             // fdatasync a second, each after an appended 4 KiB
  double syncs_in_place = 0;                    // the same over blocks that exist, as a write-ahead log does most of the time
  double spawns = 0;                            // posix_spawn and wait a second, one after the other
  double spawns_two = 0;                        // two at a time
  double rows_1 = 0, rows_10 = 0, rows_100 = 0; // SQLite, WAL, synchronous=FULL: rows a second, so many a transaction
};

[[nodiscard]] machine_limits measure_limits(const std::filesystem::path& folder, double seconds);

// The same one by one, for figures that take their limit right beside them: a shared disk changes its speed from minute to minute.
[[nodiscard]] double measure_syncs(const std::filesystem::path& folder, bool in_place, double seconds);
[[nodiscard]] double measure_spawns(std::size_t at_once, double seconds);
// Rows a second through bare SQLite, `group` a transaction.
[[nodiscard]] double measure_rows(const std::filesystem::path& folder, std::size_t group, double seconds);

// Takes a limit before and after something; `limit` is the mean of the two.
template <class Limit, class Figure>
auto beside(double& limit, Limit measure_limit, Figure measure_figure) {
  const double before = measure_limit();
  auto figure = measure_figure();
  limit = (before + measure_limit()) / 2;
  return figure;
}

} // namespace ferry::bench
