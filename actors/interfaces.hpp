// All actors and all their messages. Commands are verbs, facts are past tense, timers end in `_due`.
// Expected failures are values (ferry::result inside the answer); a caf::error means that an actor is gone.
//
//   HTTP ─ submit_jobs, cancel_job, … ─▶ queue ─ append_facts, begin_batch ─▶ storage
//                                        queue ─ candidates ─▶ batch_optimizer ─ start_batch ─▶ queue
//                                        queue ─ run_batch, stop_batch ─▶ gpu_executor ─ batch_began, … ─▶ queue
//                                                                         gpu_executor ─ slot_freed ─▶ batch_optimizer
//
// Upstream goes only control: offer_capacity is the credit that lets candidates flow.
#pragma once

#include "actors/compat.hpp"
#include "actors/status_board.hpp"
#include "model/device.hpp"
#include "model/facts.hpp"
#include "runners/run_control.hpp"
#include "scheduling/admission.hpp"
#include "scheduling/batch_decision.hpp"
#include "scheduling/outcome.hpp"
#include "storage/job_reader.hpp"
#include "storage/job_store.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ferry::actors {

// ---- answers ----------------------------------------------------------------------------------------------------------------

struct done {}; // the answer of a command that has nothing to tell

struct submitted_job {
  job_id id;
  std::optional<std::size_t> position; // none: held, or no longer queued
};
struct jobs_submitted {
  std::vector<submitted_job> jobs;
  bool repeated = false; // an earlier request with the same idempotency key made them
};

// A job as stored, with what only the live queue knows.
struct job_view {
  job_record record;
  std::optional<std::size_t> position = {};
  std::string waiting_for = {}; // why a queued job is not running
  std::string phase = {};       // of a running job: starting, running, stopping
  progress how_far = {};
};

struct queue_page {
  bool paused = false;
  queue_counts counts;
  std::vector<job_view> jobs;
};

// ---- storage: the one writer, and the readers -------------------------------------------------------------------------------

// Stored in one transaction with all else that has arrived; answered once it is on disk (P1).
struct append_facts {
  std::vector<fact> facts;
  storage::submission from = {};
};
// Facts that describe what has already happened outside of ferry. They may not be refused: kept and tried again until stored. They
// wait a moment for other facts to ride with.
struct record_facts {
  std::vector<fact> facts;
};
// The start of a batch: answered with its jobs' parameters (JSON text) once the fact is on disk (P2).
struct begin_batch {
  batch_started what;
};
struct close_store {};
struct flush_due {};
struct retry_due {};

using storage_actor = caf::typed_actor<caf::result<result<storage::append_outcome>>(append_facts), // facts stored
                                       caf::result<done>(record_facts), // facts stored, however long it takes
                                       caf::result<result<std::vector<std::string>>>(begin_batch), // batch stored; parameters
                                       caf::result<done>(close_store),                             // all committed; the actor ends
                                       caf::result<void>(flush_due),                               // commit the group
                                       caf::result<void>(retry_due)>;                              // try refused records again

struct find_jobs {
  std::vector<job_id> ids;
  bool brief = false; // without parameters and result
};
struct list_jobs {
  storage::job_filter filter;
};
struct read_history {
  job_id id;
};
struct find_clearable {
  std::vector<job_state> states;
  std::size_t limit = 0;
};

using job_records = std::vector<job_record>;
using job_ids = std::vector<job_id>;
using history_entries = std::vector<storage::history_entry>;

using history_actor =
    caf::typed_actor<caf::result<result<job_records>>(find_jobs), // those that exist, in the order asked
                     caf::result<result<job_records>>(list_jobs), // newest first
                     caf::result<result<history_entries>>(read_history), caf::result<result<job_ids>>(find_clearable)>;

// ---- gpu_executor: one a device ---------------------------------------------------------------------------------------------

struct run_batch {
  batch_id batch;
  const config::job_type* type = nullptr; // lives as long as the daemon
  scheduling::lease place;
  std::vector<job_id> jobs;
  std::vector<std::string> params; // JSON text, one a job
};
// A run that outlived the last daemon.
struct adopt_batch {
  batch_id batch;
  const config::job_type* type = nullptr; // null: no longer configured
  std::vector<job_id> jobs;
};
struct stop_batch {
  batch_id batch;
  std::string reason; // scheduling::stopped_by_…
};
struct run_reported {
  runners::run_control::report what;
};

using gpu_executor_actor = caf::typed_actor<caf::result<void>(run_batch),     // launch it
                                            caf::result<void>(adopt_batch),   // follow it
                                            caf::result<void>(stop_batch),    // TERM, grace, KILL
                                            caf::result<void>(run_reported)>; // from run_control

// ---- watchdog ---------------------------------------------------------------------------------------------------------------

struct watch_batch {
  batch_id batch;
  instant deadline{};
  gpu_executor_actor executor;
};
struct forget_batch {
  batch_id batch;
};
struct deadline_due {
  batch_id batch;
};

using watchdog_actor = caf::typed_actor<caf::result<void>(watch_batch),  // stop it at the deadline
                                        caf::result<void>(forget_batch), // it is over
                                        caf::result<void>(deadline_due)>;

// ---- batch_optimizer --------------------------------------------------------------------------------------------------------

// Jobs that could start, a few of each type, in order. Spends the credit.
struct candidates {
  std::vector<scheduling::candidate> in_order;
};
// The batch is over, or never began: its lease ends.
struct slot_freed {
  batch_id batch;
};

using batch_optimizer_actor = caf::typed_actor<caf::result<void>(candidates), caf::result<void>(slot_freed)>;

// ---- queue ------------------------------------------------------------------------------------------------------------------

struct submit_jobs {
  std::vector<job_request> jobs;
  storage::submission from = {};
};
struct cancel_job {
  job_id id;
};
struct hold_job {
  job_id id;
};
struct release_job {
  job_id id;
};
struct move_job {
  job_id id;
  scheduling::move_target target;
};
struct edit_job {
  job_id id;
  std::optional<int> priority = {};
  std::optional<std::string> name = {};
  std::optional<json> params = {}; // a patch: see scheduling::admit_params
  std::string base_dir = {};       // for relative paths in it
};
struct retry_job {
  job_id id;
};
struct clear_jobs {
  std::vector<job_state> states;
};
struct set_paused {
  bool paused = true;
};
struct read_job {
  job_id id;
};
struct read_jobs {
  storage::job_filter filter;
};
struct read_queue {
  std::size_t offset = 0;
  std::size_t limit = 50;
};
// Answered once the job has finished and that is on disk, at the latest after `timeout`.
struct await_job {
  job_id id;
  duration timeout{};
};
struct wait_due {
  job_id id;
  std::uint64_t waiter = 0;
};

// Sent once: whom the queue works with. Nothing is started before.
struct begin_work {
  batch_optimizer_actor optimizer;
  std::map<std::string, gpu_executor_actor> executors; // by device id
  watchdog_actor watchdog;
};
// The optimizer has room for so many more batches. `grew`: a slot was freed since the last offer, so look again at what did not
// fit.
struct offer_capacity {
  int slots = 0;
  bool grew = true;
};
// The optimizer's decision; the queue checks that the jobs are still there.
struct start_batch {
  batch_id batch;
  scheduling::dispatch_batch what;
};
struct resume_due {}; // after storage or the launcher refused, look again

struct batch_began {
  batch_id batch;
};
struct batch_progressed {
  batch_id batch;
  std::optional<job_id> job; // none: each of the batch
  progress how_far;
};
struct batch_not_started {
  batch_id batch;
  error why;
};
struct batch_over {
  batch_id batch;
  std::vector<scheduling::job_outcome> outcomes; // one a job, in the order of the batch
};

using queue_actor = caf::typed_actor<
    // Commands: answered once their fact is on disk.
    caf::result<result<jobs_submitted>>(submit_jobs), caf::result<result<done>>(cancel_job), caf::result<result<done>>(hold_job),
    caf::result<result<done>>(release_job), caf::result<result<done>>(move_job), caf::result<result<done>>(edit_job),
    caf::result<result<done>>(retry_job), caf::result<result<std::size_t>>(clear_jobs), caf::result<result<done>>(set_paused),
    // Queries.
    caf::result<result<job_view>>(read_job), caf::result<result<std::vector<job_view>>>(read_jobs),
    caf::result<result<queue_page>>(read_queue), caf::result<result<done>>(await_job), caf::result<void>(wait_due),
    // From the supervisor.
    caf::result<void>(begin_work),
    // From the optimizer.
    caf::result<void>(offer_capacity), caf::result<void>(start_batch), caf::result<void>(resume_due),
    // From the executors.
    caf::result<void>(batch_began), caf::result<void>(batch_progressed), caf::result<void>(batch_not_started),
    caf::result<void>(batch_over)>;

} // namespace ferry::actors

// ---- type ids: append only --------------------------------------------------------------------------------------------------

// None of these messages leaves the process; those that nodes will exchange get inspectors when there are nodes.
#define FERRY_LOCAL_MESSAGE(type)                                                                                                  \
  CAF_ADD_TYPE_ID(ferry, (type))                                                                                                   \
  template <>                                                                                                                      \
  struct caf::allowed_unsafe_message_type<type> : std::true_type {};

// clang-format off
CAF_BEGIN_TYPE_ID_BLOCK(ferry, first_custom_type_id)
FERRY_LOCAL_MESSAGE(ferry::actors::done)
FERRY_LOCAL_MESSAGE(ferry::actors::append_facts)
FERRY_LOCAL_MESSAGE(ferry::actors::record_facts)
FERRY_LOCAL_MESSAGE(ferry::actors::begin_batch)
FERRY_LOCAL_MESSAGE(ferry::actors::close_store)
FERRY_LOCAL_MESSAGE(ferry::actors::flush_due)
FERRY_LOCAL_MESSAGE(ferry::actors::retry_due)
FERRY_LOCAL_MESSAGE(ferry::actors::find_jobs)
FERRY_LOCAL_MESSAGE(ferry::actors::list_jobs)
FERRY_LOCAL_MESSAGE(ferry::actors::read_history)
FERRY_LOCAL_MESSAGE(ferry::actors::find_clearable)
FERRY_LOCAL_MESSAGE(ferry::actors::run_batch)
FERRY_LOCAL_MESSAGE(ferry::actors::adopt_batch)
FERRY_LOCAL_MESSAGE(ferry::actors::stop_batch)
FERRY_LOCAL_MESSAGE(ferry::actors::run_reported)
FERRY_LOCAL_MESSAGE(ferry::actors::watch_batch)
FERRY_LOCAL_MESSAGE(ferry::actors::forget_batch)
FERRY_LOCAL_MESSAGE(ferry::actors::deadline_due)
FERRY_LOCAL_MESSAGE(ferry::actors::candidates)
FERRY_LOCAL_MESSAGE(ferry::actors::slot_freed)
FERRY_LOCAL_MESSAGE(ferry::actors::submit_jobs)
FERRY_LOCAL_MESSAGE(ferry::actors::cancel_job)
FERRY_LOCAL_MESSAGE(ferry::actors::hold_job)
FERRY_LOCAL_MESSAGE(ferry::actors::release_job)
FERRY_LOCAL_MESSAGE(ferry::actors::move_job)
FERRY_LOCAL_MESSAGE(ferry::actors::edit_job)
FERRY_LOCAL_MESSAGE(ferry::actors::retry_job)
FERRY_LOCAL_MESSAGE(ferry::actors::clear_jobs)
FERRY_LOCAL_MESSAGE(ferry::actors::set_paused)
FERRY_LOCAL_MESSAGE(ferry::actors::read_job)
FERRY_LOCAL_MESSAGE(ferry::actors::read_jobs)
FERRY_LOCAL_MESSAGE(ferry::actors::read_queue)
FERRY_LOCAL_MESSAGE(ferry::actors::await_job)
FERRY_LOCAL_MESSAGE(ferry::actors::wait_due)
FERRY_LOCAL_MESSAGE(ferry::actors::begin_work)
FERRY_LOCAL_MESSAGE(ferry::actors::offer_capacity)
FERRY_LOCAL_MESSAGE(ferry::actors::start_batch)
FERRY_LOCAL_MESSAGE(ferry::actors::resume_due)
FERRY_LOCAL_MESSAGE(ferry::actors::batch_began)
FERRY_LOCAL_MESSAGE(ferry::actors::batch_progressed)
FERRY_LOCAL_MESSAGE(ferry::actors::batch_not_started)
FERRY_LOCAL_MESSAGE(ferry::actors::batch_over)
FERRY_LOCAL_MESSAGE(ferry::result<ferry::actors::done>)
FERRY_LOCAL_MESSAGE(ferry::result<std::size_t>)
FERRY_LOCAL_MESSAGE(ferry::result<ferry::storage::append_outcome>)
FERRY_LOCAL_MESSAGE(ferry::result<std::vector<std::string>>)
FERRY_LOCAL_MESSAGE(ferry::result<ferry::actors::job_records>)
FERRY_LOCAL_MESSAGE(ferry::result<ferry::actors::job_ids>)
FERRY_LOCAL_MESSAGE(ferry::result<ferry::actors::history_entries>)
FERRY_LOCAL_MESSAGE(ferry::result<ferry::actors::jobs_submitted>)
FERRY_LOCAL_MESSAGE(ferry::result<ferry::actors::job_view>)
FERRY_LOCAL_MESSAGE(ferry::result<std::vector<ferry::actors::job_view>>)
FERRY_LOCAL_MESSAGE(ferry::result<ferry::actors::queue_page>)
CAF_END_TYPE_ID_BLOCK(ferry)
// clang-format on

#undef FERRY_LOCAL_MESSAGE
