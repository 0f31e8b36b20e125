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
  std::string waiting_for = {};               // why a queued job is not running, or a starting one waits
  std::string phase = {};                     // of a running job: starting, running, stopping, ending
  progress how_far = {};
  std::vector<run_note> notes = {};                             // of a running job: what was learnt of this attempt so far
  std::optional<scheduling::start_promise> expected_start = {}; // of a queued job, as foreseen now
  std::optional<instant> expected_end = {};                     // of a running job
};

// What a job would get that was submitted now.
struct submit_outlook {
  std::optional<std::size_t> position = {};                     // none: it would not wait in line at first
  std::optional<scheduling::start_promise> expected_start = {}; // none: nobody knows
  std::optional<duration> takes = {};                           // all its parts, alone on a warm worker; none: nothing was measured
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
  std::string share = {};                    // why jobs of other users that came later stand before it; empty: none do
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

// A user who has jobs, or used devices lately.
struct user_view {
  std::string name; // empty: of jobs that name nobody
  double weight = 1;
  double device_seconds = 0, share = 0; // within queue.fair_share.window; of what all used
  std::int64_t completed = 0;           // likewise
  std::size_t queued = 0, running = 0;
};

struct statistics {
  std::map<std::string, scheduling::savings> types; // those of which anything was measured
  std::array<scheduling::promise_book::tally, 4> promises;
  std::vector<user_view> users = {};
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
  std::optional<std::size_t> next_offset = {}; // where to go on; nothing: the queue ends here
};

} // namespace ferry::actors
