// Plays a recorded day through the real policy (job_queue, batch_groups, device_ledger, choose_batch) in virtual time, with devices
// that take exactly as long as the record says. Pure and deterministic (P7).
#pragma once

#include "config/job_type.hpp"
#include "model/device.hpp"
#include "model/job.hpp"
#include "model/time.hpp"
#include "scheduling/duration_estimator.hpp"
#include "scheduling/job_queue.hpp"
#include "scheduling/promise_book.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace ferry::scheduling {

struct recorded_job {
  instant arrival{};
  duration took{}; // alone, with its model loaded
  type_index type = 0;
  json params = json::object();
  std::string user = {};
  int priority = priority_default;
};

enum class simulated_policy {
  learned, // as the daemon decides: knows of durations, loading and company what it has seen so far
  known,   // the same, knowing all of it beforehand: what better estimates could gain
  fifo,    // one job after the other, on the device that has been idle longest
};

struct simulation {
  std::vector<recorded_job> jobs; // in the order of their arrival
  std::vector<config::job_type> types;
  std::vector<device> devices;
  duration load{};    // what loading really takes, where a worker has to be started
  double price = 0.5; // what a further job in a batch really costs: 0 nothing, 1 as much as alone
  simulated_policy policy = simulated_policy::learned;
};

struct played_run {
  std::size_t device = 0;
  instant starts{}, works{}, ends{}; // between the first two it loads
  bool loads = false;
  std::vector<std::size_t> jobs; // places in simulation::jobs, the first is the one it was started for
  std::string warm;              // what its worker has loaded
};
struct played_job {
  std::size_t run = 0;                     // place in schedule::runs
  std::optional<estimate> expected{};      // when it arrived
  std::optional<start_promise> promised{}; // likewise; nothing: it started at once, or nobody could know
};
struct schedule {
  std::vector<played_run> runs; // in the order they were started
  std::vector<played_job> jobs; // as in simulation::jobs
};

// Each type runs on workers where it has a warm_key, each job in a process of its own otherwise. Errors: invalid_argument, where a
// job could never run on any of the devices.
[[nodiscard]] result<schedule> play(const simulation& day);

} // namespace ferry::scheduling
