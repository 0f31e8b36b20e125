// All actors and all their messages inside the daemon; those about nodes stand in node_interfaces.hpp, those about Slurm in
// slurm_interfaces.hpp, what other machines say in remote/messages.hpp. Commands are verbs, facts are past tense, timers end in
// `_due`. Expected failures are values (ferry::result inside the answer); a caf::error means that an actor is gone.
//
//   HTTP ─ submit_jobs, cancel_job, … ─▶ queue ─ append_facts, begin_batch ─▶ storage
//                                        queue ─ candidates ─▶ batch_optimizer ─ start_batch ─▶ queue
//                                        queue ◀─ preempt, device_state, batch_noted ─ optimizer, watchdog
//                                        queue ─ run_batch, stop_batch ─▶ gpu_executor ─ batch_began, … ─▶ queue
//                                                                         gpu_executor ─ slot_freed ─▶ batch_optimizer
//   On a head with nodes node_hub is the executor of their devices; on a node the executors tell node_link instead of the queue.
//
// Upstream goes only control: offer_capacity is the credit that lets candidates flow.
#pragma once

#include "actors/answers.hpp"
#include "actors/compat.hpp"
#include "actors/submit_messages.hpp"
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
// The start of a batch: answered with what its jobs begin with once the fact is on disk (P2).
struct begin_batch {
  batch_started what;
};
using job_starts = std::vector<storage::job_start>;
struct close_store {};
struct flush_due {};
struct retry_due {};

using storage_actor = caf::typed_actor<caf::result<result<storage::append_outcome>>(append_facts), // facts stored
                                       caf::result<done>(record_facts),              // facts stored, however long it takes
                                       caf::result<result<job_starts>>(begin_batch), // batch stored
                                       caf::result<done>(close_store),               // all committed; the actor ends
                                       caf::result<void>(flush_due),                 // commit the group
                                       caf::result<void>(retry_due)>;                // try refused records again

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
struct count_jobs {
  storage::counts_query query;
};
struct count_failures {
  std::size_t limit = 0;
};
struct find_running {}; // the batches that are running, says the disk
struct find_clearable {
  storage::clear_filter which;
  std::size_t limit = 0;
};

using job_records = std::vector<job_record>;
using job_ids = std::vector<job_id>;
using batch_ids = std::vector<batch_id>;
using failure_counts = std::vector<storage::failure_count>;
using history_entries = std::vector<storage::history_entry>;

using history_actor =
    caf::typed_actor<caf::result<result<job_records>>(find_jobs),       // those that exist, in the order asked
                     caf::result<result<storage::job_page>>(list_jobs), // newest first
                     caf::result<result<history_entries>>(read_history), caf::result<result<storage::job_counts>>(count_jobs),
                     caf::result<result<failure_counts>>(count_failures), caf::result<result<job_ids>>(find_clearable),
                     caf::result<result<batch_ids>>(find_running)>;

// ---- gpu_executor: one a device ---------------------------------------------------------------------------------------------

struct run_batch {
  batch_id batch;
  const config::job_type* type = nullptr; // lives as long as the daemon
  scheduling::lease place;
  std::vector<job_id> jobs;
  job_starts starts;                        // one a job
  bool starts_worker = false;               // it is numbered as the batch
  std::uint64_t warm = 0;                   // what that has to have loaded: scheduling::warm_number
  std::vector<worker_id> ends_workers = {}; // that have to be gone before
};
// A run that outlived the last daemon.
struct adopt_batch {
  batch_id batch;
  const config::job_type* type = nullptr; // null: no longer configured
  std::vector<job_id> jobs;
  std::string device; // device::id
};
struct stop_batch {
  batch_id batch;
  scheduling::stop_reason reason;
  std::vector<job_id> jobs = {}; // these alone are to end, if that can be; empty: all
};
// End these idle workers: TERM, grace, KILL.
struct end_workers {
  std::vector<worker_id> workers;
};
// Follow a worker that outlived the last daemon.
struct adopt_worker {
  worker_id worker;
};
struct run_reported {
  runners::run_control::report what;
};
struct follow_up_due {}; // a batch may have waited too long for the one before it

// Of a device of this machine, of a node (node_hub), or of a Slurm cluster (slurm_executor).
using gpu_executor_actor = caf::typed_actor<caf::result<void>(run_batch),   // launch it
                                            caf::result<void>(adopt_batch), // follow it
                                            caf::result<void>(stop_batch),  // TERM, grace, KILL
                                            caf::result<void>(end_workers), caf::result<void>(adopt_worker)>;

using local_executor_actor = gpu_executor_actor::extend<caf::result<void>(follow_up_due),
                                                        caf::result<void>(run_reported)>; // from run_control

// ---- whom executors tell: here the queue, the batch optimizer and the watchdog; on a node what speaks to the head --------------

struct batch_began {
  batch_id batch;
  std::optional<instant> at = {}; // when its process was made; none: just now
};
// It is not running yet, since others have the device that it was given: why, in words.
struct batch_waits {
  batch_id batch;
  std::string why;
};
struct batch_progressed {
  batch_id batch;
  std::optional<job_id> job; // none: each of the batch
  progress how_far;
};
struct batch_not_started {
  batch_id batch;
  error why;
  bool crashed = false;   // its supervisor died in the middle of it
  bool is_trouble = true; // others would meet the same
};
// Something was learnt of a running job. Warnings and resumptions are stored at once, all else with the end of the attempt.
struct batch_noted {
  batch_id batch;
  std::optional<job_id> job; // none: each of the batch
  run_note note;
};
// A job of a batch has ended before the others.
struct job_over {
  batch_id batch;
  job_id job;
  scheduling::job_outcome outcome;
};
struct batch_over {
  batch_id batch;
  std::vector<scheduling::job_outcome> outcomes; // one a job, in the order of the batch; those told by job_over among them
};
// The batch is over, or never began: its lease ends.
struct slot_freed {
  batch_id batch;
  bool worker_ended = false; // its worker takes no other
};
// Nothing of it lives any more: its memory is free.
struct worker_gone {
  worker_id worker;
};
// A run gave a sign of life.
struct batch_sign {
  batch_id batch;
  instant at{};
  std::optional<progress> how_far = {};
};

using run_listener_actor =
    caf::typed_actor<caf::result<void>(batch_began), caf::result<void>(batch_progressed), caf::result<void>(batch_noted),
                     caf::result<void>(batch_not_started), caf::result<void>(job_over), caf::result<void>(batch_over)>;
using lease_holder_actor = caf::typed_actor<caf::result<void>(slot_freed), caf::result<void>(worker_gone)>;
using sign_listener_actor = caf::typed_actor<caf::result<void>(batch_sign)>;

// ---- watchdog ---------------------------------------------------------------------------------------------------------------

struct watch_batch {
  batch_id batch;
  const config::job_type* type = nullptr;
  std::string device;
  instant started{};
  gpu_executor_actor executor;
};
struct forget_batch {
  batch_id batch;
};
struct look_due {
  batch_id batch;
};
struct check_machine_due {}; // devices and disk
struct audit_due {};

using watchdog_actor =
    caf::typed_actor<caf::result<void>(watch_batch),  // by the rules of its type
                     caf::result<void>(batch_sign),   // it lives
                     caf::result<void>(forget_batch), // it is over
                     caf::result<void>(look_due), caf::result<void>(check_machine_due), caf::result<void>(audit_due)>;

// ---- batch_optimizer --------------------------------------------------------------------------------------------------------

// Jobs that could start, a few of each type, in order. Spends the credit.
struct candidates {
  std::vector<scheduling::candidate> in_order;
};
struct end_all_idle {};   // workers without work are to give their memory back, however long their types keep them
struct expiry_due {};     // a worker may have been idle for long enough
struct look_again_due {}; // what was expected by now has not happened

// A device went out of service, or is back when `trouble` is empty.
struct device_state {
  std::string device;
  std::string trouble;
  bool ends_runs = true; // what runs there is stopped
};
// What programs that are not ferry's take of a device's memory has changed.
struct memory_taken {
  std::string device;
  std::int64_t mib = 0; // beyond what is kept free for such
};

using batch_optimizer_actor =
    caf::typed_actor<caf::result<void>(candidates), caf::result<void>(slot_freed), caf::result<void>(worker_gone),
                     caf::result<void>(end_all_idle), caf::result<void>(expiry_due), caf::result<void>(look_again_due),
                     caf::result<void>(device_state), caf::result<void>(memory_taken)>;

// ---- forecaster: plays the policy forward, beside the queue -----------------------------------------------------------------

struct foresee_starts {
  std::shared_ptr<scheduling::queue_picture> picture; // the sender's no more
};
struct foreseen {
  std::shared_ptr<const scheduling::forecast> what;
  duration took{};
};

using forecaster_actor = caf::typed_actor<caf::result<foreseen>(foresee_starts)>;

// ---- queue ------------------------------------------------------------------------------------------------------------------

struct submit_jobs {
  std::vector<job_request> jobs;
  storage::submission from = {};
};
struct cancel_job {
  job_id id;
  bool only_queued = false; // what runs by now goes on: a conflict
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
  bool from_scratch = false; // its checkpoints do not count any more
};
// TERM, grace, KILL; then it is queued again, held, and continues from its newest checkpoint when it is resumed.
struct suspend_job {
  job_id id;
};
// Pauses the queue and suspends all that runs.
struct suspend_all {};
// A held job is released; a failed or cancelled one is queued again, to continue from its newest checkpoint.
struct resume_job {
  job_id id;
};
// Lets the queue go on and releases all that is suspended.
struct resume_all {};
// A new job with the type and the parameters of a finished one, which continues from its newest checkpoint.
struct resume_as_new {
  job_id id;
};
struct hold_type {
  std::string type;
  std::string reason; // empty: a user wished it
};
struct release_type {
  std::string type;
};
// Takes finished jobs off the lists: those that `which` tells, or exactly these. Errors: conflict (one of these has not finished),
// not_found.
struct clear_jobs {
  storage::clear_filter which;
  std::vector<job_id> ids = {};
};
// What would become of this job if it were submitted now? Changes nothing.
struct try_submit {
  job_request job;
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
// A page of the queue, or of those of its jobs that fit all that is set.
struct read_queue {
  std::size_t offset = 0; // in the whole queue
  std::size_t limit = 50;
  std::string type = {}, user = {}, name_contains = {};
  std::optional<job_state> state = {}; // queued or running
  std::optional<bool> may_start = {};  // of queued ones: neither held nor delayed, nor waiting for jobs that they need
};
struct explain_job {
  job_id id;
};
// What runs together, and what would next; also while the queue is paused.
struct read_batches {
  std::size_t limit = 0;
};
// What would a move, or another priority, change?
struct try_change {
  job_id id;
  std::optional<scheduling::move_target> target = {};
  std::optional<int> priority = {};
};
struct read_statistics {};
struct picture_due {}; // look ahead

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
  forecaster_actor forecaster;
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
// Tell these batches to give their device back: a job of a higher tier waits for it.
struct preempt {
  std::vector<batch_id> batches;
  job_id for_job;
};
// Pass this on to the executor of the device.
struct end_idle_workers {
  std::string device;
  end_workers what;
};
struct rest_due {}; // after storage or the launcher refused, look again
// A delayed job's time may have come, or a job has waited for its next step of priority.
struct delays_due {
  instant armed_for{};
};

// How much room is left in the data directory.
struct disk_state {
  std::string trouble; // why nothing is started; empty: there is room
};
// What the queue believes to run, for the audit.
struct read_running {};
struct running_books {
  batch_ids known;    // all batches that have not ended
  batch_ids expected; // of them, those that must have a process
};

using queue_actor = caf::typed_actor<
    // Commands: answered once their fact is on disk.
    caf::result<result<jobs_submitted>>(submit_jobs), caf::result<result<done>>(cancel_job), caf::result<result<done>>(hold_job),
    caf::result<result<done>>(release_job), caf::result<result<done>>(move_job), caf::result<result<done>>(edit_job),
    caf::result<result<done>>(retry_job), caf::result<result<std::size_t>>(clear_jobs), caf::result<result<done>>(set_paused),
    caf::result<result<done>>(suspend_job), caf::result<result<std::size_t>>(suspend_all), caf::result<result<done>>(resume_job),
    caf::result<result<std::size_t>>(resume_all), caf::result<result<jobs_submitted>>(resume_as_new),
    caf::result<result<done>>(hold_type), caf::result<result<done>>(release_type), caf::result<result<done>>(change_group),
    // Queries.
    caf::result<result<job_view>>(read_job), caf::result<result<job_list>>(read_jobs), caf::result<result<queue_page>>(read_queue),
    caf::result<result<done>>(await_job), caf::result<void>(wait_due), caf::result<running_books>(read_running),
    caf::result<result<explanation>>(explain_job), caf::result<result<batch_plan>>(read_batches),
    caf::result<result<start_changes>>(try_change), caf::result<result<submit_outlook>>(try_submit),
    caf::result<result<statistics>>(read_statistics), caf::result<void>(picture_due),
    caf::result<group_list>(read_groups), // by name
    // From the supervisor.
    caf::result<void>(begin_work),
    // From the optimizer.
    caf::result<void>(offer_capacity), caf::result<void>(start_batch), caf::result<void>(preempt),
    caf::result<void>(end_idle_workers), caf::result<void>(rest_due), caf::result<void>(delays_due),
    // From the watchdog.
    caf::result<void>(device_state), caf::result<void>(memory_taken), caf::result<void>(disk_state),
    // From the executors.
    caf::result<void>(batch_began), caf::result<void>(batch_progressed), caf::result<void>(batch_noted),
    caf::result<void>(batch_not_started), caf::result<void>(job_over), caf::result<void>(batch_over),
    caf::result<void>(batch_waits)>; // this one from slurm_executor alone

} // namespace ferry::actors

#include "actors/node_interfaces.hpp"
#include "actors/slurm_interfaces.hpp"

#include "actors/type_ids.hpp" // of all that stands above
