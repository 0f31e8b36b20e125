// The state of the queue actor. Its handlers stand in twelve files: queue_submit.cpp (what is submitted), queue_needs.cpp (jobs
// that wait for others), queue_groups.cpp (groups that users put jobs into), queue_users.cpp (whose turn it is), queue_commands.cpp
// (what users ask of queued and finished jobs), queue_interventions.cpp (what is done to running jobs and whole types: cancel,
// suspend, preempt, hold), queue_runs.cpp (what starts and runs), queue_attempts.cpp (what ends, and what comes after it),
// queue_knowledge.cpp (what is learnt of that), queue_forecast.cpp (what will start when), queue_queries.cpp (what users look at)
// and queue_events.cpp (what those are told who follow along).
//
// Memory is changed before the fact is on disk where that keeps a job from being started against the user's wish (hold, cancel,
// move), and changed back if the fact is refused; otherwise after.
#pragma once

#include "actors/queue_actor.hpp"
#include "scheduling/attempts.hpp"
#include "scheduling/batch_groups.hpp"
#include "scheduling/explain.hpp"
#include "scheduling/failure_storm.hpp"
#include "scheduling/fair_share.hpp"
#include "scheduling/named_groups.hpp"
#include "scheduling/needs.hpp"
#include "scheduling/outlook.hpp"
#include "scheduling/promise_book.hpp"
#include "scheduling/queued_estimates.hpp"
#include "scheduling/step_rate.hpp"
#include "scheduling/type_knowledge.hpp"
#include "scheduling/unique_keys.hpp"

#include <map>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace ferry::actors {

class queue_state {
public:
  using handle = queue_actor;

  queue_state(handle::pointer self, storage_actor storage, history_actor history, std::shared_ptr<queue_start> start);
  handle::behavior_type make_behavior();

private:
  template <class T>
  using promise_of = caf::typed_response_promise<result<T>>;
  using done_promise = promise_of<done>;

  enum class phase {
    recorded, // its start is on its way to the disk
    starting, // handed to the executor
    running,
    stopping,
    ending, // over; its end is on its way to the disk
  };
  struct member {
    scheduling::queued_job job;
    progress how_far = {};
    std::vector<run_note> notes = {};
    std::optional<scheduling::job_features> features = {}; // what its duration teaches is put down to these
    scheduling::user_wish wish = scheduling::user_wish::none;
    scheduling::step_rate rate = {};
    std::optional<scheduling::start_promise> promised = {}; // of this start
    bool over = false; // it has ended before the others; its end is on disk or on its way there
    // Of one whose end is on its way to the disk:
    bool goes_on = false;          // it will be queued again
    bool suspended_at_end = false; // that was asked for then
  };
  struct running_batch {
    std::string device;
    scheduling::type_index type = 0;
    scheduling::lease place;
    std::vector<member> members;
    instant started{};
    phase at = phase::recorded;
    bool starts_worker = false;
    double marginal = 0.5;                       // the price of a further item that it was chosen with
    std::vector<worker_id> ends_workers = {};    // that have to be gone before
    std::optional<scheduling::stop_reason> stop; // asked for while its start was on its way
    std::string waits_for = {};                  // while it is starting: why it does not run yet; empty: nothing is known

    // Why it is not to be launched any more.
    [[nodiscard]] std::optional<scheduling::stop_reason> early_stop() const;
    [[nodiscard]] std::vector<job_id> jobs() const;
    [[nodiscard]] member* find(job_id id);
    [[nodiscard]] bool is_at_end(const member& one) const { return one.over || at == phase::ending; }
  };
  struct waiter {
    std::uint64_t id = 0;
    done_promise promise;
  };

  struct ending {
    job_id job;
    scheduling::job_outcome outcome;
    scheduling::after_attempt then;
  };

  // queue_submit.cpp
  // A job whose fact is on its way to the disk.
  struct arrival {
    scheduling::queued_job job;
    std::optional<instant> not_before = {};
  };
  // What a request is answered with: new jobs and such as were there before, in the order asked.
  struct submission_plan {
    std::vector<arrival> arrivals;
    std::vector<submitted_job> answer;
    std::shared_ptr<void> pin; // of the groups of the arrivals
  };
  caf::result<result<jobs_submitted>> submit(submit_jobs& what);
  void admit(submit_jobs what, const scheduling::needed_states& needed, promise_of<jobs_submitted> promise);
  void submit_later(submit_jobs what, promise_of<jobs_submitted> promise);
  [[nodiscard]] result<void> find_groups(const std::vector<scheduling::admitted_job>& jobs);
  [[nodiscard]] fact plan_arrival(submission_plan& plan, scheduling::admitted_job& job, const scheduling::needed_states& needed,
                                  scheduling::fair_placing& places, instant now);
  [[nodiscard]] scheduling::queued_job newly_queued(const scheduling::admitted_job& job, scheduling::fair_placing& places,
                                                    instant now);
  void store_plan(submission_plan plan, std::vector<fact> facts, storage::submission from, promise_of<jobs_submitted> promise);
  void abandon(const std::vector<arrival>& arrivals);
  [[nodiscard]] jobs_submitted submitted(const submission_plan& plan);
  [[nodiscard]] jobs_submitted submitted_before(const std::vector<job_id>& ids) const;
  [[nodiscard]] submitted_job place_of(job_id id) const;
  caf::result<result<submit_outlook>> try_out(const std::shared_ptr<job_request>& what);
  void try_out(const scheduling::admitted_job& job, promise_of<submit_outlook> promise);

  // queue_groups.cpp
  caf::result<result<done>> change(const change_group& what);
  [[nodiscard]] group_list list_groups() const;
  [[nodiscard]] bool groups_have_room(const std::vector<job_id>& jobs) const;
  void runs_no_more(const scheduling::queued_job& job);

  // queue_users.cpp
  [[nodiscard]] result<scheduling::user_index> find_user(const std::string& name);
  [[nodiscard]] result<void> find_users(const std::vector<scheduling::admitted_job>& jobs);
  [[nodiscard]] scheduling::fair_placing placing(instant now);
  void give_place(scheduling::queued_job& job, scheduling::fair_placing& places, instant now); // a new or retried one
  void take_place_back(const scheduling::queued_job& job);                                     // that was given last
  void give_priority(scheduling::queued_job& job, int priority);
  void note_place(const scheduling::queued_job& job); // it was moved
  void left_queue(const scheduling::queued_job& job); // it was cancelled
  void turn_began(const running_batch& batch);
  void count_use(const running_batch& batch, const std::vector<ending>& endings, instant now);
  [[nodiscard]] duration device_time_of(scheduling::queued_job job, instant now);
  [[nodiscard]] bool could_start(const scheduling::queued_job& job) const;
  // As the policy sees it: users are told apart only where they share.
  [[nodiscard]] scheduling::queued_job as_candidate(const scheduling::queued_job& job, instant now);
  [[nodiscard]] std::vector<user_view> list_users(instant now) const;
  [[nodiscard]] std::string why_behind(const scheduling::queued_job& job, instant now) const;

  // queue_needs.cpp
  [[nodiscard]] bool is_live(job_id id) const;
  void look_up(std::vector<job_id> ids, std::function<void(result<scheduling::needed_states>)> use);
  void needed_ended(job_id id, job_state how);
  void needed_returned(job_id id);
  void settle_needs(const std::vector<job_id>& which);
  [[nodiscard]] std::string why_it_needs(job_id id) const;
  void retry_with_needs(const job_record& record, bool from_scratch, done_promise promise);

  // queue_commands.cpp
  caf::result<result<done>> hold(job_id id, const std::string& reason);
  caf::result<result<done>> release(job_id id);
  void let_go(job_id id, bool delayed_too);
  std::uint64_t will_release(job_id id);
  // Whether that order still counts; it is over in any case.
  bool may_release(job_id id, std::uint64_t order);
  caf::result<result<done>> move(const move_job& what);
  caf::result<result<done>> edit(edit_job& what);
  void edit_later(edit_job what, done_promise promise);
  void edit_params(edit_job what, const scheduling::queued_job& job, done_promise promise);
  void store_edit(const edit_job& what, std::optional<std::string> params, done_promise promise,
                  const result<void>& keeps_items = {});
  caf::result<result<done>> retry(const retry_job& what);
  void requeue_finished(const job_record& record, bool from_scratch, done_promise promise);
  caf::result<result<std::size_t>> clear(clear_jobs what);
  void clear_some(storage::clear_filter which, std::size_t cleared, promise_of<std::size_t> promise);
  void clear_these(job_ids ids, promise_of<std::size_t> promise);
  caf::result<result<done>> pause(bool paused);
  // Stores facts; answers the promise, and undoes with `revert` when they are refused.
  void store(std::vector<fact> facts, done_promise promise, std::function<void()> revert = {});
  // Reads a job from disk and uses it, or answers the promise with why it cannot be read.
  void with_record(job_id id, done_promise promise, std::function<void(const job_record&)> use);
  [[nodiscard]] error why_not_queued(job_id id) const;

  // queue_interventions.cpp
  caf::result<result<done>> cancel(const cancel_job& what);
  caf::result<result<done>> cancel_running(job_id id);
  caf::result<result<done>> suspend(job_id id);
  bool note_suspend(const running_batch& batch, member& one);
  caf::result<result<std::size_t>> suspend_everything();
  caf::result<result<done>> resume(job_id id);
  caf::result<result<std::size_t>> resume_everything();
  caf::result<result<jobs_submitted>> resume_as_new_job(job_id id);
  caf::result<result<done>> hold(const hold_type& what);
  caf::result<result<done>> release(const release_type& what);
  void hold_storming(scheduling::type_index type, const std::string& reason);
  void give_devices_back(const preempt& what);
  void device_changed(const device_state& what);
  void stop(batch_id id, scheduling::stop_reason reason);
  [[nodiscard]] std::optional<error> unknown_type(const std::string& name) const;

  // queue_runs.cpp
  void begin(const begin_work& what);
  void take_offer(const offer_capacity& what);
  void push_candidates();
  void queue_changed();
  [[nodiscard]] const std::vector<double>* tolerated(job_id id) const;
  void start(start_batch& what);
  void launch(batch_id id, job_starts starts);
  void resolve_and_run(batch_id id, job_starts starts);
  void run(batch_id id, job_starts starts);
  [[nodiscard]] std::vector<scheduling::job_outcome> take_parts(const running_batch& batch, job_starts& starts) const;
  bool was_stopped_early(batch_id id);
  void watch(batch_id id, const running_batch& batch, const config::job_type& type, instant since);
  void give_back(const batch_not_started& what, bool record);
  void never_launched(batch_id id);
  void end_displaced(const std::string& device, const std::vector<worker_id>& workers);
  void rest(const error& why);
  void began(const batch_began& what);
  void waits(batch_waits what);
  void progressed(const batch_progressed& what);
  void noted(const batch_noted& what);

  // queue_attempts.cpp
  void over(const batch_over& what);
  void job_is_over(job_over& what);
  void finish(batch_id id, std::vector<scheduling::job_outcome> outcomes);
  void finish_unlaunched(batch_id id, const scheduling::stop_reason& reason);
  // What comes after the attempt of each of these members; adds the facts of it.
  std::vector<ending> decide(const running_batch& batch, batch_id id, const std::vector<std::size_t>& members,
                             std::vector<scheduling::job_outcome> outcomes, std::vector<fact>& facts) const;
  [[nodiscard]] static run_note note_of(const scheduling::start_promise& told);
  [[nodiscard]] fact fact_of(const ending& of, batch_id batch, instant at) const;
  void watch_for_storms(scheduling::type_index type, const std::vector<ending>& endings, instant now);
  void stored_end(batch_id id, const std::vector<ending>& endings);
  static void note_ends(running_batch& batch, const std::vector<ending>& endings);
  // Jobs whose part is done come back into the order before anything else starts: they keep their place.
  void await_next_parts(const std::vector<ending>& endings);
  void next_parts_are_stored(const std::vector<ending>& endings);
  [[nodiscard]] static std::size_t parts_done_in(const std::vector<ending>& endings);
  void settle(batch_id id, running_batch& batch, const std::vector<ending>& endings);
  void queue_again(scheduling::queued_job job, const scheduling::job_waits& waits);
  void arm_delays();
  void delays_over(const delays_due& what);
  void wake_waiters(job_id id);
  void count(job_state state);
  running_batch* batch_of(job_id id);
  // Puts a job into the group that its parameters make it belong to.
  void classify(scheduling::queued_job& job, const json& params, const device_selector& on);
  void forget_unused_groups();

  // queue_knowledge.cpp
  [[nodiscard]] scheduling::queued_job refreshed(scheduling::queued_job job, instant now); // by what is known now
  [[nodiscard]] scheduling::group_outlook outlook(scheduling::group_index group, const config::job_type& type, instant now) const;
  void learn(const running_batch& batch, const std::vector<scheduling::job_outcome>& outcomes);
  void save(scheduling::type_index type, instant now);

  // queue_forecast.cpp
  void look_ahead(); // something has changed that starts depend on
  void look_ahead_in(duration wait);
  void picture_is_due();
  void take(const foreseen& what);
  // What was promised holds no more: the order was changed by hand.
  void void_promises();
  void settle_promises(running_batch& batch, instant now);
  [[nodiscard]] scheduling::queue_picture picture(instant now);
  [[nodiscard]] std::optional<scheduling::expected_end> expected_end(const running_batch& batch, instant now) const;
  // Of one of its jobs: that is later where it has parts to come.
  [[nodiscard]] std::optional<instant> expected_end(const running_batch& batch, const member& of, instant now) const;
  [[nodiscard]] bool any_has_more_parts() const; // of those that run
  [[nodiscard]] scheduling::running_outlook outlook(const running_batch& batch, instant now) const;
  [[nodiscard]] bool nothing_starts() const { return paused_ || !trouble_.empty() || !disk_trouble_.empty(); }
  [[nodiscard]] planned_batch plan_of(const scheduling::foreseen_run& run, const scheduling::forecast& seen) const;
  caf::result<result<explanation>> explain(job_id id);
  caf::result<result<batch_plan>> plan(const read_batches& what);
  caf::result<result<start_changes>> try_out(const try_change& what);
  [[nodiscard]] result<std::vector<scheduling::queued_job>> changed_by(const try_change& what);
  [[nodiscard]] statistics measured() const;

  // queue_events.cpp
  void tell(job_id id, bool is_edited = false) const;
  void tell(const running_batch& batch) const;
  void tell_end(job_id id, job_state how, const std::optional<batch_id>& batch = {}, const std::string& device = {}) const;
  [[nodiscard]] static std::string_view name_of(phase one);

  // queue_queries.cpp
  caf::result<result<job_view>> read_one(job_id id);
  caf::result<result<job_list>> read_many(const read_jobs& what);

  // queue_pages.cpp
  struct row_search;
  caf::result<result<queue_page>> read_page(const read_queue& what);
  [[nodiscard]] job_ids running_in_order() const;
  [[nodiscard]] row_search find_rows(const read_queue& what) const;
  [[nodiscard]] queue_page page_of(const read_queue& what, const row_search& found, job_records records) const;
  void publish() const; // puts counts and pause on the board: called with each change of them
  queue_counts counts() const;
  [[nodiscard]] running_books running_now() const;
  caf::result<result<done>> await(const await_job& what);
  void wait_over(const wait_due& what);
  [[nodiscard]] job_view view(job_record record) const;
  [[nodiscard]] const config::job_type* type_of(scheduling::type_index index) const;

  handle::pointer self_;
  storage_actor storage_;
  history_actor history_;
  std::shared_ptr<const config::settings> settings_;
  std::vector<device> devices_;
  std::shared_ptr<status_board> board_;
  std::shared_ptr<event_board> events_;
  std::vector<std::string> type_names_;
  std::function<std::filesystem::path(batch_id)> run_directory_;

  scheduling::job_queue jobs_;
  scheduling::need_book needs_; // of queued jobs, and of those on their way into the queue
  scheduling::batch_groups groups_;
  scheduling::named_groups named_;
  scheduling::user_book users_;
  scheduling::fair_share share_;
  instant share_saved_{};
  std::vector<scheduling::type_knowledge> knowledge_; // by type_index
  scheduling::queued_estimates estimates_;
  std::map<scheduling::type_index, instant> knowledge_saved_;
  std::unordered_map<job_id, std::vector<double>> tolerated_; // of jobs whose type tolerates differences: see batch_traits
  std::unordered_map<batch_id, running_batch> running_;
  std::unordered_map<job_id, batch_id> running_jobs_;
  scheduling::unique_keys keys_;
  std::unordered_set<job_id> leaving_;   // cancelled while queued; that is on its way to the disk
  std::unordered_set<job_id> returning_; // retried; that is being looked into, or on its way to the disk
  std::unordered_set<job_id> editing_;   // whose parameters are being edited: others who wish to edit them come after that
  // Orders to let go hold once they are on disk, orders to keep back at once: an order to keep back voids those that are on their
  // way.
  std::unordered_map<job_id, std::uint64_t> releases_; // the latest that is on its way
  std::unordered_map<scheduling::type_index, std::uint64_t> type_releases_;
  std::uint64_t last_release_ = 0, queue_resume_ = 0; // 0: none is on its way
  std::size_t look_ups_ = 0;                          // of needed jobs, which are being read
  scheduling::needed_states ended_meanwhile_;
  job_id last_job_;
  std::int64_t last_order_key_ = 0;
  bool paused_ = false;
  std::int64_t completed_ = 0, failed_ = 0, cancelled_ = 0;

  std::optional<begin_work> parts_;
  int credit_ = 0;                     // how many batches the optimizer has room for
  std::size_t parts_on_their_way_ = 0; // see await_next_parts
  bool changed_ = true;                // since candidates were last sent
  std::string trouble_;                // why nothing is started for a moment; empty: none
  std::string disk_trouble_;
  std::map<std::string, std::string> device_trouble_; // by device, why it is out of service
  job_ids to_cancel_;                                 // an earlier daemon was asked to
  std::map<scheduling::type_index, std::string> held_types_;
  std::map<scheduling::type_index, scheduling::failure_storm> storms_;
  std::optional<instant> delays_armed_; // when delays_due comes

  std::shared_ptr<const scheduling::forecast> forecast_; // the latest; null: nothing is foreseen
  scheduling::promise_book promises_;
  instant promises_saved_{};
  bool is_foreseeing_ = false;                                         // one is being made
  bool is_outdated_ = false;                                           // something has changed since its picture was taken
  duration foreseeing_took_{};                                         // the last one
  std::optional<std::chrono::steady_clock::time_point> look_ahead_at_; // when picture_due comes
  std::unordered_map<job_id, std::vector<waiter>> waiters_;
  std::size_t waiting_ = 0;
  std::uint64_t last_waiter_ = 0;
};

} // namespace ferry::actors
