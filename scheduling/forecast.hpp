// When queued jobs will start: the real policy (job_queue, choose_batch) played forward over all devices with the durations that
// are expected. Pure and deterministic (P7).
//
// Foreseen is what is known: the jobs that are queued now, each of which completes. Later submits that come first, failures, and
// users who change their minds are not; how far such forecasts were off is learnt by promise_book.
#pragma once

#include "config/job_type.hpp"
#include "scheduling/device_ledger.hpp"
#include "scheduling/named_groups.hpp"
#include "scheduling/outlook.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ferry::scheduling {

// When a batch that runs will be over.
struct expected_end {
  instant median{};
  duration doubt{}; // its standard deviation
};
struct running_outlook {
  std::vector<job_id> jobs;
  std::vector<queued_job> go_on;        // those of them that are queued again then, as they will be: their next parts
  std::vector<named_group_index> named; // the groups that their users put them into
  std::optional<expected_end> ends;     // nothing: nobody knows
};

// All that a forecast is made from.
struct queue_picture {
  instant now{};
  std::span<const config::job_type> types; // live longer than this
  std::vector<queued_job> in_order;        // that may start
  std::vector<std::pair<queued_job, instant>> delayed;
  std::vector<std::pair<queued_job, std::vector<job_id>>> blocked; // by jobs that they need and that have not ended
  named_groups named;                                              // what runs counted
  duration aging{};                                                // as job_queue has it
  std::unordered_map<group_index, group_outlook> groups;           // of all these
  std::unordered_map<job_id, std::vector<double>> tolerated;       // of those that have any
  device_ledger devices{{}};                                       // with all leases
  std::unordered_map<batch_id, running_outlook> running; // of leases; others are over, and about to give their device back
};

struct foreseen_run {
  std::size_t device = 0;            // place in device_ledger::accounts
  instant starts{}, works{}, ends{}; // medians; between the first two it loads
  duration doubt{};                  // standard deviation of its start
  bool is_known = true;              // false: it comes after something of which nothing was measured yet
  bool has_estimate = true;          // false: nothing was measured of these jobs: `ends` is a guess
  bool loads = false;
  type_index type = 0;
  std::vector<job_id> jobs; // the first is the one it is started for
  duration alone{};         // what its jobs would take one by one, each on a warm worker
};

struct forecast {
  instant made{};
  std::vector<foreseen_run> runs;                 // in the order they start
  std::unordered_map<job_id, std::size_t> run_of; // place in `runs`; of a job that runs in parts: of the next one

  // Null: it is not foreseen that it starts.
  [[nodiscard]] const foreseen_run* find(job_id job) const;
  // The run that it ends with. Null: it is not foreseen that it starts.
  [[nodiscard]] const foreseen_run* find_last(job_id job) const;
};

// Of a batch that runs: `left` by the steps of its jobs, where these are known, else by the end that its lease expects. `spread`:
// of its duration, as estimate::spread. Nothing: nobody knows.
[[nodiscard]] std::optional<expected_end> when_over(const lease& l, double spread, std::optional<duration> left, instant now);

// The order that these changes of queued jobs would bring about.
void reorder(queue_picture& picture, const std::vector<queued_job>& changed);

// `until`: no further than the start of this job. Jobs that could not be placed have no run.
[[nodiscard]] forecast foresee(queue_picture picture, std::optional<job_id> until = {});

} // namespace ferry::scheduling
