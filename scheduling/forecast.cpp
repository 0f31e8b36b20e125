#include "scheduling/forecast.hpp"

#include "scheduling/batch_decision.hpp"
#include "scheduling/job_parts.hpp"
#include "scheduling/virtual_time.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace ferry::scheduling {
namespace {

using namespace std::chrono_literals;

constexpr duration look_again_min = 20ms; // as the daemon's timer
constexpr duration unknown_run = 1min;    // taken for what nothing was measured of; starts after it are unknown
constexpr duration giving_back = 10s;     // a batch takes to give its device back
constexpr double doubt_of_all = 0.05;     // of the time until a start, for what all estimates have in common

class player {
public:
  explicit player(queue_picture picture)
      : picture_(std::move(picture)),
        devices_(std::move(picture_.devices)),
        queue_(picture_.aging),
        freed_(devices_.accounts().size()) {
    seen_.made = picture_.now;
    for (const auto& job : picture_.in_order)
      queue_.add(job);
    for (const auto& [job, until] : picture_.delayed)
      queue_.delay(job, until);
    for (std::size_t i = 0; i < picture_.blocked.size(); ++i)
      for (const job_id need : picture_.blocked[i].second)
        dependents_.emplace(need, i);
    for (const auto& [batch, lease] : devices_.leases()) {
      last_batch_ = std::max(last_batch_, batch);
      const auto found = picture_.running.find(batch);
      const auto ends = found == picture_.running.end() ? std::optional(expected_end{picture_.now}) : found->second.ends;
      const double doubt = ends ? static_cast<double>(ends->doubt.count()) : 0;
      running of{.variance = doubt * doubt, .is_known = ends.has_value()};
      if (found != picture_.running.end()) {
        of.jobs = found->second.jobs;
        of.go_on = found->second.go_on;
        going_on_ += of.go_on.size();
        of.named = found->second.named;
      }
      running_.emplace(batch, std::move(of));
      ends_.emplace(ends ? std::max(ends->median, picture_.now + 1ms) : picture_.now + unknown_run, batch);
    }
    for (const auto& [worker, of] : devices_.workers())
      last_batch_ = std::max(last_batch_, batch_id{worker.value});
  }

  forecast play(std::optional<job_id> until) {
    for (now_ = picture_.now; queue_.size() > 0 || !dependents_.empty() || going_on_ > 0;) {
      queue_.release_due(now_);
      queue_.age(now_, SIZE_MAX);
      look_again_.reset();
      while (devices_.slots_on_offer() > 0 && decide()) {}
      if (until && seen_.run_of.contains(*until))
        break;
      const auto next = next_event();
      if (!next)
        break;
      now_ = std::max(*next, now_);
      end_runs();
    }
    return std::move(seen_);
  }

private:
  struct running {
    double variance = 0; // of its end, in square milliseconds
    bool is_known = true;
    std::vector<job_id> jobs = {};
    std::vector<queued_job> go_on = {}; // those of them that have parts to come, as they will be queued
    std::vector<named_group_index> named = {};
  };

  [[nodiscard]] std::optional<instant> next_event() const {
    std::optional<instant> next = queue_.next_due();
    const auto consider = [&](instant when) { next = std::min(next.value_or(when), when); };
    if (!ends_.empty())
      consider(ends_.begin()->first);
    if (look_again_)
      consider(*look_again_);
    return next;
  }

  // False: nothing more can start now.
  bool decide() {
    end_expired_workers(devices_, picture_.types, now_);
    const auto decision = choose_batch(candidates(), devices_, now_);
    if (const auto* later = std::get_if<wait_until>(&decision))
      look_again_ = std::max(later->when, now_ + look_again_min);
    if (const auto* wanted = std::get_if<preempt_batches>(&decision)) {
      for (const batch_id batch : wanted->batches)
        give_back(batch);
      return true; // others may still fit other devices
    }
    const auto* chosen = std::get_if<dispatch_batch>(&decision);
    if (chosen)
      start(*chosen);
    return chosen != nullptr;
  }

  std::vector<candidate> candidates() const {
    const int slots = devices_.slots_on_offer();
    std::vector<candidate> in_order;
    for (const auto& job : queue_.heads([&](const queued_job& one) { return heads_wanted(picture_.types[one.type], slots); },
                                        [&](named_group_index group) { return picture_.named.room(group); })) {
      const auto tolerated = picture_.tolerated.find(job.id);
      in_order.push_back(candidate_of(job, picture_.types[job.type], picture_.groups.at(job.group),
                                      tolerated == picture_.tolerated.end() ? nullptr : &tolerated->second));
      if (auto& median = in_order.back().estimate) // a sum of runs lies near the sum of their means
        median = duration{std::llround(static_cast<double>(median->count()) * mean_to_median(job))};
    }
    return in_order;
  }
  [[nodiscard]] double spread_of(const queued_job& job) const {
    const auto alone = expected_alone(job, picture_.types[job.type], picture_.groups.at(job.group));
    return alone ? std::min(alone->spread, 1.0) : 0.0;
  }
  [[nodiscard]] double mean_to_median(const queued_job& job) const {
    const double spread = spread_of(job);
    return std::exp(spread * spread / 2);
  }

  void give_back(batch_id batch) {
    devices_.leaving(batch);
    for (auto it = ends_.begin(); it != ends_.end(); ++it)
      if (it->second == batch) {
        ends_.erase(it);
        break;
      }
    ends_.emplace(now_ + giving_back, batch);
  }

  void start(const dispatch_batch& chosen) {
    last_batch_.value += 1;
    const lease place = carry_out(devices_, last_batch_, chosen);
    foreseen_run run{.device = device_index(devices_, place.device),
                     .starts = now_,
                     .ends = place.ends.value_or(now_ + unknown_run),
                     .has_estimate = place.ends.has_value(),
                     .loads = chosen.starts_worker,
                     .type = chosen.type,
                     .jobs = chosen.jobs};
    const running& before = freed_[run.device];
    run.is_known = before.is_known;
    run.doubt =
        duration{std::llround(std::sqrt(before.variance) + doubt_of_all * static_cast<double>((now_ - seen_.made).count()))};
    running is{.jobs = chosen.jobs};
    double spread = 0;
    group_index group{};
    for (std::size_t i = 0; i < chosen.jobs.size(); ++i) {
      const job_id id = chosen.jobs[i];
      auto job = *queue_.remove(id);
      job.items = chosen.items[i];
      group = job.group;
      is.named.push_back(job.named_group);
      picture_.named.started(job.named_group);
      spread = std::max(spread, spread_of(job));
      if (const auto alone = expected_alone(job, picture_.types[job.type], picture_.groups.at(job.group)))
        run.alone += alone->median;
      seen_.run_of.emplace(id, seen_.runs.size());
      if (has_more_parts(job) && seen_.runs.size() < limits::forecast_jobs_max) {
        finish_part(job);
        is.go_on.push_back(job);
      }
    }
    going_on_ += is.go_on.size();
    const auto& load = picture_.groups.at(group).load;
    run.works = now_ + (run.loads && load ? load->median : duration{0});
    const double of_work = spread * static_cast<double>((run.ends - run.works).count());
    const double of_load = run.loads && load ? load->spread * static_cast<double>(load->median.count()) : 0;
    is.variance = before.variance + of_work * of_work + of_load * of_load;
    is.is_known = run.is_known && run.has_estimate;
    running_.emplace(last_batch_, std::move(is));
    ends_.emplace(std::max(run.ends, now_ + 1ms), last_batch_);
    seen_.runs.push_back(std::move(run));
  }

  void end_runs() {
    while (!ends_.empty() && ends_.begin()->first <= now_) {
      const batch_id batch = ends_.begin()->second;
      ends_.erase(ends_.begin());
      const auto lease = devices_.find(batch);
      devices_.release(batch, now_);
      const auto ended = running_.extract(batch);
      for (const auto group : ended.mapped().named)
        picture_.named.ended(group);
      const auto& go_on = ended.mapped().go_on;
      going_on_ -= go_on.size();
      for (queued_job next : go_on) {
        next.begin_to_wait(now_);
        queue_.add(next);
      }
      for (const job_id job : ended.mapped().jobs)
        if (std::none_of(go_on.begin(), go_on.end(), [&](const queued_job& next) { return next.id == job; }))
          let_go_who_needs(job);
      const auto device = device_index(devices_, lease->device);
      if (device < freed_.size())
        freed_[device] = ended.mapped();
    }
  }

  void let_go_who_needs(job_id ended) {
    const auto [first, last] = dependents_.equal_range(ended);
    for (auto it = first; it != last; ++it) {
      auto& [job, needs] = picture_.blocked[it->second];
      std::erase(needs, ended);
      if (!needs.empty())
        continue;
      job.blocked = false;
      job.begin_to_wait(now_);
      queue_.add(job);
    }
    dependents_.erase(first, last);
  }

  queue_picture picture_;
  device_ledger devices_;
  job_queue queue_;
  instant now_{};
  std::map<batch_id, running> running_;
  std::multimap<instant, batch_id> ends_;         // those that end together in the order they started
  std::vector<running> freed_;                    // by device: what ended there last
  std::multimap<job_id, std::size_t> dependents_; // by the job that they need, places in queue_picture::blocked
  std::size_t going_on_ = 0;                      // jobs that run and have parts to come
  std::optional<instant> look_again_;
  batch_id last_batch_{};
  forecast seen_;
};

} // namespace

const foreseen_run* forecast::find(job_id job) const {
  const auto found = run_of.find(job);
  return found == run_of.end() ? nullptr : &runs[found->second];
}

const foreseen_run* forecast::find_last(job_id job) const {
  const auto last = std::find_if(runs.rbegin(), runs.rend(), [&](const foreseen_run& run) {
    return std::find(run.jobs.begin(), run.jobs.end(), job) != run.jobs.end();
  });
  return last == runs.rend() ? nullptr : &*last;
}

std::optional<expected_end> when_over(const lease& l, double spread, std::optional<duration> left, instant now) {
  constexpr double doubt_of_steps = 0.1;
  if (left)
    return expected_end{now + *left, duration{std::llround(static_cast<double>(left->count()) * doubt_of_steps)}};
  if (!l.ends)
    return std::nullopt;
  const instant ends = expected_end_of(l, now);
  return expected_end{ends, duration{std::llround(static_cast<double>((ends - now).count()) * spread)}};
}

void reorder(queue_picture& picture, const std::vector<queued_job>& changed) {
  for (const queued_job& one : changed)
    for (queued_job& job : picture.in_order)
      if (job.id == one.id)
        job = one;
  std::sort(picture.in_order.begin(), picture.in_order.end(), comes_before);
}

forecast foresee(queue_picture picture, std::optional<job_id> until) { return player(std::move(picture)).play(until); }

} // namespace ferry::scheduling
