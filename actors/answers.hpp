// What the queue answers with: jobs as users see them, what is planned with them, and what was measured.
#pragma once

#include "actors/status_board.hpp"
#include "model/job.hpp"
#include "scheduling/obstacles.hpp"
#include "scheduling/promise_book.hpp"
#include "scheduling/savings.hpp"

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ferry::actors {

struct done {}; // the answer of a command that has nothing to tell

// A job as stored, with what only the live queue knows.
struct job_view {
  job_record record;
  std::optional<std::size_t> position = {};
  std::optional<int> effective_priority = {}; // where it has gained some by waiting
  std::string waiting_for = {};               // why a queued job is not running
  std::string phase = {};                     // of a running job: starting, running, stopping, ending
  progress how_far = {};
  std::vector<run_note> notes = {};                             // of a running job: what was learnt of this attempt so far
  std::optional<scheduling::start_promise> expected_start = {}; // of a queued job, as foreseen now
  std::optional<instant> expected_end = {};                     // of a running job
};

// A batch that runs, or one that would be made of the jobs that wait now.
struct planned_batch {
  batch_id id; // none: it is not made yet
  std::string type, device;
  std::vector<job_id> jobs;
  instant starts{};                            // or has started
  std::optional<instant> late = {}, ends = {}; // nine of ten start by then; expected end
  bool is_known = true;                        // when it starts
  bool loads = false;                          // a worker is started for it
  duration together{}, alone{};                // its work in all, and that of its jobs one by one on a warm worker; 0: unknown
};
struct batch_plan {
  std::vector<planned_batch> running, next; // in the order they start
  bool is_whole = true;                     // false: there is more than was asked for
};

struct explanation {
  job_view job;
  std::optional<scheduling::start_promise> promised = {}; // what was first said
  std::vector<scheduling::obstacle> devices;
  std::optional<planned_batch> planned = {}; // whom it is to start with
};

// What would become of a queued job's start.
struct start_change {
  struct moment {
    std::optional<std::size_t> position;
    std::optional<instant> start; // nothing: unknown
  };
  job_id job;
  moment before, after;
};
using start_changes = std::vector<start_change>;

struct statistics {
  std::map<std::string, scheduling::savings> types; // those of which anything was measured
  std::array<scheduling::promise_book::tally, 4> promises;
};

// One page of a list, newest first.
struct job_list {
  std::vector<job_view> jobs;
  std::optional<job_id> next_before = {}; // as storage::job_page says
};

struct queue_page {
  bool paused = false;
  queue_counts counts;
  std::vector<job_view> jobs;
};

} // namespace ferry::actors
