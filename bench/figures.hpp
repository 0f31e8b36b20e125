// The figures, by what they look at. Each prints its rows.
#pragma once

#include "bench/daemon_under_test.hpp"
#include "bench/limits.hpp"
#include "bench/report.hpp"
#include "bench/statistics.hpp"

#include <cstdint>
#include <filesystem>

namespace ferry::bench {

struct bench_run {
  std::filesystem::path programs;
  std::filesystem::path folder;      // on the disk that is measured
  double seconds = 2;                // for each rate
  int repetitions = 300;             // for each latency
  std::int64_t jobs_max = 1'000'000; // queued at most
  int slots = 8;
  int shims_ready = 2;
  machine_limits limits;
  report& out;

  [[nodiscard]] daemon_options daemon() const {
    return {.programs = programs, .folder = folder / "daemon", .slots = slots, .shims_ready = shims_ready};
  }
};

void submitting(bench_run& run); // durable submits by socket and command line, one at a time and in bulk
void starting(bench_run& run);   // submit to process start; jobs that do nothing
void reading(bench_run& run);    // GET of the status, beside nginx
void scale(bench_run& run);      // looking, memory and restart with an empty and a long queue
void adopting(bench_run& run);   // a daemon that starts above running jobs
void storing(bench_run& run);    // the job store and its actor beside bare SQLite
void peers(bench_run& run);      // task-spooler and beanstalkd, where they are installed

// A FIFO that bench-stamp writes to.
class stamp_reader {
public:
  explicit stamp_reader(std::filesystem::path fifo);
  ~stamp_reader();
  // The next stamp (monotonic_ns). Throws after 10 s without.
  [[nodiscard]] std::int64_t next();
  [[nodiscard]] const std::filesystem::path& path() const { return fifo_; }

private:
  std::filesystem::path fifo_;
  int descriptor_ = -1;
};

} // namespace ferry::bench
