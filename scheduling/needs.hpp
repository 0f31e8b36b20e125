// Which queued jobs wait for other jobs to end, and what becomes of them then. Pure values: no clock, no files, no messages.
//
// A job can need only jobs that exist when it is submitted, and ids are given in increasing order: so needs never form a circle.
// Nothing of this is a fact of its own. A job's needs and rule are stored with it, and what follows from the states of the needed
// jobs is derived from these, here and after a restart alike: so no crash between two facts can lose it. A job that was started
// once needs nothing any more.
//
// The end of a job costs O(log n) for each job that needs it; a queue without needs costs nothing.
#pragma once

#include "model/facts.hpp"
#include "model/job.hpp"
#include "scheduling/job_queue.hpp"

#include <functional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ferry::scheduling {

// A job that another one needs.
struct needed_job {
  job_id id;
  job_state state = job_state::queued; // queued: it has not ended, whatever it does

  friend bool operator==(const needed_job&, const needed_job&) = default;
};

// States of jobs that a submit names; one that is not there does not exist.
using needed_states = std::unordered_map<job_id, job_state>;

enum class needs_verdict {
  met,    // it may start
  open,   // it waits
  failed, // it waits, shown as held: one that it needs did not complete, and may yet be retried
  doomed, // it is to be cancelled
};

class need_book {
public:
  // `needs`: ascending, without those that have completed where that is known.
  void add(job_id id, needs_rule rule, std::vector<needed_job> needs);
  // It has left the queue, or its needs were dropped.
  void forget(job_id id);

  // A job that others may need has ended, or is queued again after its end. The jobs that need it, by id.
  std::vector<job_id> ended(job_id id, job_state how);
  std::vector<job_id> returned(job_id id);

  // Of a job without needs: met.
  [[nodiscard]] needs_verdict verdict(job_id id) const;
  // The first that did not complete, where its rule minds that.
  [[nodiscard]] std::optional<needed_job> culprit(job_id id) const;
  // Those that have not ended, ascending.
  [[nodiscard]] std::vector<job_id> open_needs(job_id id) const;
  // All jobs in it, ascending.
  [[nodiscard]] std::vector<job_id> jobs() const;

  // The first broken invariant in words, or nothing. For tests.
  [[nodiscard]] std::optional<std::string> check_invariants() const;

private:
  struct entry {
    needs_rule rule = needs_rule::hold;
    std::vector<needed_job> needs; // that have not completed
  };
  std::vector<job_id> change(job_id id, job_state state);

  std::unordered_map<job_id, entry> entries_;
  std::set<std::pair<job_id, job_id>> dependents_; // needed, who needs it
};

// A job that is cancelled because of what became of one that it needs; it has left queue and book.
struct cancelled_for_need {
  queued_job job;
  needed_job because;
};

// Makes the queue agree with the book for these jobs: blocks those that wait, lets those go whose needs are met, and cancels those
// that are doomed, and what follows from that in turn. Jobs that are not in the queue are passed over. What may
// start now waits since now.
[[nodiscard]] std::vector<cancelled_for_need> settle_needs(job_queue& jobs, need_book& book, const std::vector<job_id>& which,
                                                           instant now);

[[nodiscard]] job_finished cancelled_fact(const cancelled_for_need& cancelled, instant at);
// What of these is known; ones that are not count as not ended.
[[nodiscard]] std::vector<needed_job> with_states(const std::vector<job_id>& needs, const needed_states& known);

// "job 41, which it needs, failed"
[[nodiscard]] std::string describe_culprit(const needed_job& culprit);
// "needs job 41, which is running", "needs jobs 41 and 42". `state_of` says in a word what one of them does.
[[nodiscard]] std::string describe_needs(const std::vector<job_id>& open, const std::function<std::string(job_id)>& state_of);

// The jobs that these requests need, ascending, each once; of requests within limits::needs_max.
[[nodiscard]] std::vector<job_id> needed_by(const std::vector<job_request>& requests);

} // namespace ferry::scheduling
