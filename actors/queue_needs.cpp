// Jobs that wait for others: what scheduling::need_book knows of them is followed here.
#include "actors/queue_state.hpp"

#include <spdlog/spdlog.h>

namespace ferry::actors {

// Facts of one message: so that others get through between those of a long list.
constexpr std::size_t facts_at_once = 1'000;

// It has not ended, as far as the disk knows: queued, running, or on its way out.
bool queue_state::is_live(job_id id) const { return jobs_.find(id) || running_jobs_.contains(id) || leaving_.contains(id); }

// What is live has not ended; of the rest the disk knows. What ends while that is read is remembered for as long.
void queue_state::look_up(job_ids ids, std::function<void(result<scheduling::needed_states>)> use) {
  job_ids unknown;
  for (const job_id id : ids)
    if (!is_live(id))
      unknown.push_back(id);
  ++look_ups_;
  const auto answer = [this, ids = std::move(ids), use = std::move(use)](const result<job_records>& found) {
    scheduling::needed_states states;
    if (found)
      for (const job_record& record : *found)
        states.emplace(record.id, is_finished(record.state) ? record.state : job_state::queued);
    for (const job_id id : ids)
      if (is_live(id))
        states.insert_or_assign(id, job_state::queued);
      else if (const auto ended = ended_meanwhile_.find(id); ended != ended_meanwhile_.end())
        states.insert_or_assign(id, ended->second);
    if (--look_ups_ == 0)
      ended_meanwhile_.clear();
    use(found ? result<scheduling::needed_states>(std::move(states)) : fail(found.error()));
  };
  if (unknown.empty())
    answer(job_records{});
  else
    request(self_, history_, caf::infinite, find_jobs{std::move(unknown), true}).then(answer);
}

// The end of a job is on disk.
void queue_state::needed_ended(job_id id, job_state how) {
  if (look_ups_ > 0)
    ended_meanwhile_.insert_or_assign(id, how);
  if (const auto dependents = needs_.ended(id, how); !dependents.empty()) {
    settle_needs(dependents);
    publish();
    queue_changed();
  }
}

// It is queued again.
void queue_state::needed_returned(job_id id) {
  if (const auto dependents = needs_.returned(id); !dependents.empty())
    settle_needs(dependents);
}

void queue_state::settle_needs(const job_ids& which) {
  auto cancelled = scheduling::settle_needs(jobs_, needs_, which, wall_clock_now());
  for (const job_id id : which) // also those that need nothing: they have just come
    tell(id);
  for (std::size_t first = 0; first < cancelled.size(); first += facts_at_once) {
    const auto last = std::min(first + facts_at_once, cancelled.size());
    std::vector<fact> facts;
    job_ids ids;
    for (std::size_t i = first; i < last; ++i) {
      ids.push_back(cancelled[i].job.id);
      leaving_.insert(ids.back());
      facts.emplace_back(scheduling::cancelled_fact(cancelled[i], wall_clock_now()));
    }
    request(self_, storage_, caf::infinite, record_facts{std::move(facts)}).then([this, ids = std::move(ids)](done) {
      for (const job_id id : ids) {
        leaving_.erase(id);
        tolerated_.erase(id);
        keys_.free(id);
        count(job_state::cancelled);
        if (look_ups_ > 0)
          ended_meanwhile_.insert_or_assign(id, job_state::cancelled);
      }
      publish();
      for (const job_id id : ids) {
        tell_end(id, job_state::cancelled);
        wake_waiters(id);
      }
    });
  }
}

// Why a job waits for others; empty: it does not.
std::string queue_state::why_it_needs(job_id id) const {
  if (const auto culprit = needs_.culprit(id))
    return "it is held: " + scheduling::describe_culprit(*culprit);
  return scheduling::describe_needs(needs_.open_needs(id), [this](job_id needed) -> std::string {
    if (const auto queued = jobs_.find(needed))
      return queued->held || needs_.culprit(needed) ? "held" : "queued";
    return running_jobs_.contains(needed) ? "running" : "ending";
  });
}

// A retried job that never ran waits for what it needs, as it did before.
void queue_state::retry_with_needs(const job_record& record, bool from_scratch, done_promise promise) {
  look_up(record.needs, [this, record, from_scratch, promise](result<scheduling::needed_states> found) mutable {
    if (!found) {
      returning_.erase(record.id);
      promise.deliver(result<done>(fail(found.error())));
      return;
    }
    needs_.add(record.id, *record.on_needs_failure, scheduling::with_states(record.needs, *found));
    if (needs_.verdict(record.id) != scheduling::needs_verdict::doomed) {
      requeue_finished(record, from_scratch, promise);
      return;
    }
    const auto culprit = *needs_.culprit(record.id);
    needs_.forget(record.id);
    returning_.erase(record.id);
    const error why{error_code::conflict,
                    "job " + to_string(record.id) + " cannot be retried: " + scheduling::describe_culprit(culprit),
                    "retry job " + to_string(culprit.id) + " first",
                    {}};
    promise.deliver(result<done>(fail(why)));
  });
}

} // namespace ferry::actors
