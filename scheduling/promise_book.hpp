// What was promised of the start of jobs, held against what came. Pure, deterministic (P7), bounded.
//
// The promise of a job is the first forecast that is made of it. What its user does to it afterwards (hold, move, edit) or to the
// queue (pause) voids it.
//
// A forecast does not know of the jobs that are still to come, and of all that its estimates have in common. Both are learnt here
// from how far promises were off: by how much longer than foreseen jobs wait in the median, and how many standard deviations later
// than that nine of ten have started. Each moves by a small step with each promise, to where the quantile is (Robbins and Monro, A
// Stochastic Approximation Method, 1951).
#pragma once

#include "model/error.hpp"
#include "model/ids.hpp"
#include "model/job.hpp"
#include "model/time.hpp"
#include "scheduling/forecast.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <unordered_map>

namespace ferry::scheduling {

struct start_promise {
  instant made{};
  instant start{}; // the median
  instant late{};  // nine of ten start by then
};

class promise_book {
public:
  // When this job will start, as far as this forecast can tell. Nothing: it cannot.
  [[nodiscard]] std::optional<start_promise> expect(const forecast& seen, job_id job) const;
  // A foreseen time, with what was learnt.
  [[nodiscard]] instant stretched(instant made, instant foreseen) const;

  // Keeps what is promised now of a job that has no promise yet.
  void make(const forecast& seen, job_id job);
  void forget_all() { open_.clear(); }
  [[nodiscard]] std::optional<start_promise> find(job_id job) const;

  // The job started: its promise, if it had one, is settled and counted.
  std::optional<start_promise> settle(job_id job, instant started);

  // Of all promises of a wait so long (by the time from the promise to the promised start): below 30 s, 30 s to 5 min, to 1 h,
  // longer.
  struct tally {
    std::int64_t promises = 0;
    std::int64_t within_20_percent = 0; // of the promised wait
    std::int64_t in_time = 0;           // started by `late`
    double error_sum = 0;               // |came − promised|, in seconds
    double promised_sum = 0;            // promised waits, in seconds
    double came_sum = 0;                // waits, in seconds
  };
  static constexpr std::array<std::int64_t, 3> bounds_seconds{30, 300, 3'600};
  [[nodiscard]] const std::array<tally, 4>& tallies() const { return tallies_; }

  [[nodiscard]] json to_json() const; // without promises that are open
  // Errors: damaged.
  [[nodiscard]] static result<promise_book> from_json(const json& stored);

private:
  struct open_promise {
    start_promise told;
    duration doubt{};
  };
  std::unordered_map<job_id, open_promise> open_;
  std::array<tally, 4> tallies_;
  double stretch_ = 1;    // waits, in times of what was foreseen
  double late_at_ = 1.28; // standard deviations; of a normal distribution
};

} // namespace ferry::scheduling
