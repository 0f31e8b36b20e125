#include "scheduling/simulator.hpp"

#include "scheduling/admission.hpp"
#include "scheduling/batch_decision.hpp"
#include "scheduling/batch_groups.hpp"
#include "scheduling/fair_share.hpp"
#include "scheduling/forecast.hpp"
#include "scheduling/outlook.hpp"
#include "scheduling/queued_estimates.hpp"
#include "scheduling/type_knowledge.hpp"
#include "scheduling/virtual_time.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace ferry::scheduling {
namespace {

using namespace std::chrono_literals;

constexpr duration look_again_min = 20ms; // as the daemon's timer

class player {
public:
  explicit player(const simulation& day)
      : day_(day),
        ledger_(day.devices),
        groups_(names_of(day.types)),
        knowledge_(day.types.size()),
        users_(day.share),
        last_used_(day.devices.size()) {
    played_.jobs.resize(day.jobs.size());
  }

  schedule play() {
    while (done_ < day_.jobs.size()) {
      const instant now = next_event();
      end_runs(now);
      const std::size_t arrived_before = arrived_;
      for (; arrived_ < day_.jobs.size() && day_.jobs[arrived_].arrival <= now; ++arrived_)
        arrive(arrived_, now);
      look_again_.reset();
      while (start_next(now)) {}
      if (!is_fifo())
        for (std::size_t at = arrived_before; at < arrived_; ++at)
          promise(at, now);
    }
    return std::move(played_);
  }

private:
  // What is kept of a job from its arrival to its end; batches need it again to learn.
  struct waiting {
    batch_traits traits;
    candidate as;
  };
  struct running {
    std::size_t run = 0;
    completed_batch tells;
    type_index type = 0;
    double spread = 0;             // of its estimate
    std::vector<user_index> users; // of its jobs
  };

  static std::vector<std::string> names_of(const std::vector<config::job_type>& types) {
    std::vector<std::string> names;
    names.reserve(types.size());
    for (const auto& type : types)
      names.push_back(type.name);
    return names;
  }
  static std::size_t place_of(job_id id) { return static_cast<std::size_t>(id.value) - 1; }

  [[nodiscard]] const config::job_type& type_of(std::size_t at) const { return day_.types[day_.jobs[at].type]; }
  [[nodiscard]] bool is_fifo() const { return day_.policy == simulated_policy::fifo; }
  [[nodiscard]] bool is_fair() const { return day_.policy == simulated_policy::fair; }
  [[nodiscard]] config::fair_share_rules share_rules() const { return is_fair() ? day_.share : config::fair_share_rules{}; }
  [[nodiscard]] bool is_known() const { return day_.policy == simulated_policy::known; }

  [[nodiscard]] instant next_event() const {
    std::optional<instant> next;
    const auto consider = [&](instant when) { next = std::min(next.value_or(when), when); };
    if (arrived_ < day_.jobs.size())
      consider(day_.jobs[arrived_].arrival);
    if (!ends_.empty())
      consider(ends_.begin()->first);
    if (look_again_)
      consider(*look_again_);
    return *next; // a job that waits alone has been found to fit a device
  }

  void arrive(std::size_t at, instant now) {
    const recorded_job& job = day_.jobs[at];
    const config::job_type& type = type_of(at);
    waiting w{.traits = traits_of(type, job.params), .as = {}};
    const bool is_worker = type.runner == config::runner_kind::worker;
    const auto group = has_traits(type) ? groups_.find_or_add(job.type, w.traits) : group_index{job.type};
    w.as = {.job = {.id = {static_cast<std::int64_t>(at) + 1},
                    .order_key = static_cast<std::int64_t>(at) * order_key_step,
                    .created = job.arrival,
                    .group = group,
                    .type = job.type,
                    .items = static_cast<std::uint16_t>(w.traits.items),
                    .priority = static_cast<std::uint8_t>(job.priority),
                    .tier = share_rules().order_tier(type.tier),
                    .lane = share_rules().lane(type.tier)},
            .needs = demand_of(type),
            .batching = &type.batch,
            .tolerated = w.traits.tolerated,
            .on_worker = is_worker,
            .warm = warm_number(type.name, w.traits.warm)};
    // Learnt also where it does not decide, so that its errors can be told of every policy.
    played_.jobs[at].expected =
        knowledge_[job.type].durations.predict(features_of(type.estimate, job.params, w.traits.warm, job.user), now);
    if (is_known())
      w.as.job.estimate_ms = static_cast<std::uint32_t>(std::clamp<std::int64_t>(job.took.count(), 1, UINT32_MAX));
    else
      estimates_.enter(w.as.job, features_of(type.estimate, job.params, w.traits.warm, job.user), knowledge_[job.type].durations,
                       now);
    if (is_fair())
      take_turn(w.as.job, job.user, now);
    queue_.add(w.as.job);
    waiting_.emplace(at, std::move(w));
  }

  void take_turn(queued_job& job, const std::string& user, instant now) {
    job.user = users_.find_or_add(user, [this](user_index of) { return queue_.queued_of(of) > 0; }).value_or(0);
    fair_placing places(share_, {.jobs = queue_, .users = users_, .now = now});
    places.place(job, expected_device_time(job, day_.types[job.type], &knowledge_[job.type], day_.devices, now));
  }

  // ---- deciding ----

  // False: nothing can start now.
  bool start_next(instant now) {
    if (ledger_.slots_free() == 0 || queue_.size() == 0)
      return false;
    end_expired_workers(ledger_, day_.types, now);
    if (is_fifo()) {
      const auto chosen = choose_first(now);
      if (chosen)
        start(*chosen, now);
      return chosen.has_value();
    }
    const auto decision = choose_batch(candidates(now), ledger_, now);
    if (const auto* later = std::get_if<wait_until>(&decision))
      look_again_ = std::max(later->when, now + look_again_min);
    const auto* chosen = std::get_if<dispatch_batch>(&decision);
    if (chosen)
      start(*chosen, now);
    return chosen != nullptr;
  }

  [[nodiscard]] queued_job refreshed(queued_job job, instant now) {
    estimates_.refresh(job, knowledge_[job.type].durations, now);
    return job;
  }

  std::vector<candidate> candidates(instant now) {
    std::vector<candidate> in_order;
    struct learnt {
      std::optional<duration> load;
      double price;
    };
    std::map<group_index, learnt> of_groups;
    for (const queued_job& job :
         queue_.heads([&](const queued_job& job) { return heads_wanted(day_.types[job.type], ledger_.slots_free()); })) {
      const waiting& w = waiting_.at(place_of(job.id));
      auto found = of_groups.find(job.group);
      if (found == of_groups.end())
        found = of_groups.emplace(job.group, learnt{load_of(w, now), price_of(w, now)}).first;
      candidate c = w.as;
      c.job = refreshed(job, now);
      if (c.job.estimate_ms > 0)
        c.estimate = duration{c.job.estimate_ms};
      c.load = found->second.load;
      c.marginal = found->second.price;
      in_order.push_back(std::move(c));
    }
    return in_order;
  }

  [[nodiscard]] std::optional<duration> load_of(const waiting& w, instant now) const {
    if (is_known())
      return day_.load;
    const auto found = knowledge_[w.as.job.type].load_time(w.traits.warm, {}, now);
    return found ? std::optional(found->median) : std::nullopt;
  }
  [[nodiscard]] double price_of(const waiting& w, instant now) const {
    return is_known() ? day_.price : knowledge_[w.as.job.type].cost.price(batch_key(w.traits), now);
  }

  // The first job in order, on the device that has been idle longest.
  std::optional<dispatch_batch> choose_first(instant now) {
    const candidate& c = waiting_.at(place_of(queue_.page(0, 1).front().id)).as;
    std::optional<dispatch_batch> best;
    instant best_used{};
    for (std::size_t i = 0; i < ledger_.accounts().size(); ++i) {
      const auto& a = ledger_.accounts()[i];
      const auto* worker = c.on_worker ? ledger_.find_idle(a, c.warm) : nullptr;
      const auto room = worker ? std::vector<worker_id>{} : ledger_.make_room(a, c.needs.memory_mib);
      if (!ledger_.suits(a, c.needs) || a.slots_free() < c.needs.slots || !room || (best && last_used_[i] >= best_used))
        continue;
      best = dispatch_batch{
          .jobs = {c.job.id}, .items = {c.job.items}, .type = c.job.type, .place = {}, .warm = c.warm, .ends_workers = *room};
      best->place = {.device = a.owner.id, .slots = c.needs.slots, .memory_mib = c.needs.memory_mib, .since = now};
      best->place.worker = worker ? worker->id : worker_id{};
      best->starts_worker = c.on_worker && !worker;
      best_used = last_used_[i];
    }
    return best;
  }

  // ---- running ----

  void start(const dispatch_batch& chosen, instant now) {
    last_batch_.value += 1;
    const lease place = carry_out(ledger_, last_batch_, chosen);
    const bool loads = chosen.starts_worker || place.worker.is_none(); // a process begins anew each time
    const auto first = place_of(chosen.jobs.front());
    const waiting& leader = waiting_.at(first);
    const double leader_spread = leader.as.job.estimate_spread / 100.0;
    completed_batch tells{.jobs = {},
                          .key = batch_key(leader.traits),
                          .price = price_of(leader, now),
                          .warm = leader.traits.warm,
                          .device = place.device};
    played_run run{.device = device_index(ledger_, place.device), .starts = now, .loads = loads, .warm = leader.traits.warm};
    duration longest{};
    std::vector<user_index> users;
    for (const job_id id : chosen.jobs) {
      const std::size_t at = place_of(id);
      const waiting& w = waiting_.at(at);
      users_.started(w.as.job.user);
      users.push_back(w.as.job.user);
      longest = std::max(longest, day_.jobs[at].took);
      tells.jobs.push_back(
          {features_of(type_of(at).estimate, day_.jobs[at].params, w.traits.warm, day_.jobs[at].user), expected_of(at)});
      run.jobs.push_back(at);
      played_.jobs[at].run = played_.runs.size();
      promises_.settle(id, now);
      queue_.remove(id);
    }
    if (const queued_job& head = leader.as.job; is_fair())
      share_.started(head.tier, head.order_key, queue_.first_key(head.tier, head.priority));
    run.works = now + (loads ? day_.load : duration{0});
    run.ends = run.works + batch_time(longest, static_cast<double>(chosen.jobs.size()), day_.price);
    tells.took = run.ends - (place.worker.is_none() ? run.starts : run.works);
    if (chosen.starts_worker)
      tells.loading = day_.load;
    for (const job_id id : chosen.jobs)
      waiting_.erase(place_of(id));
    ends_.emplace(run.ends, last_batch_);
    running_.emplace(last_batch_, running{played_.runs.size(), std::move(tells), chosen.type, leader_spread, std::move(users)});
    played_.runs.push_back(std::move(run));
  }

  // ---- promising ----

  // To a job that has to wait.
  void promise(std::size_t at, instant now) {
    if (!waiting_.contains(at))
      return;
    const job_id id{static_cast<std::int64_t>(at) + 1};
    promises_.make(foresee(picture(now), id), id);
    played_.jobs[at].promised = promises_.find(id);
  }

  [[nodiscard]] queue_picture picture(instant now) {
    queue_picture seen{.now = now, .types = day_.types, .in_order = queue_.page(0, queue_.size()), .devices = ledger_};
    for (queued_job& job : seen.in_order) {
      job = refreshed(job, now);
      const waiting& w = waiting_.at(place_of(job.id));
      if (!w.traits.tolerated.empty())
        seen.tolerated.emplace(job.id, w.traits.tolerated);
      if (!seen.groups.contains(job.group))
        seen.groups.emplace(job.group, outlook(w, now));
    }
    for (const auto& [batch, lease] : ledger_.leases()) {
      seen.running[batch].ends = when_over(lease, is_known() ? 0 : running_.at(batch).spread, {}, now);
    }
    return seen;
  }
  [[nodiscard]] group_outlook outlook(const waiting& w, instant now) const {
    const auto& known = knowledge_[w.as.job.type];
    group_outlook seen{.warm = w.as.warm, .alone = known.durations.predict({}, now), .marginal = price_of(w, now)};
    seen.load = is_known() ? estimate{.median = day_.load, .p90 = day_.load} : known.load_time(w.traits.warm, {}, now);
    return seen;
  }

  [[nodiscard]] std::optional<duration> expected_of(std::size_t at) const {
    const auto& expected = played_.jobs[at].expected;
    return expected ? std::optional(expected->median) : std::nullopt;
  }

  void end_runs(instant now) {
    while (!ends_.empty() && ends_.begin()->first <= now) {
      const batch_id batch = ends_.begin()->second;
      ends_.erase(ends_.begin());
      const auto found = running_.find(batch);
      const played_run& run = played_.runs[found->second.run];
      ledger_.release(batch, now);
      last_used_[run.device] = now;
      knowledge_[found->second.type].learn(found->second.tells, now);
      done_ += run.jobs.size();
      count_use(found->second, run, now);
      running_.erase(found);
    }
  }

  void count_use(const running& what, const played_run& run, instant now) {
    const double part = device_part(day_.types[what.type].slots, day_.devices[run.device]);
    const auto each = static_cast<double>((run.ends - run.starts).count()) * part / static_cast<double>(what.users.size());
    for (const user_index user : what.users) {
      users_.count(user, {.device_ms = each, .completed = 1}, now);
      users_.ended(user);
    }
  }

  const simulation& day_;
  device_ledger ledger_;
  batch_groups groups_;
  job_queue queue_;
  std::vector<type_knowledge> knowledge_; // by type
  user_book users_;
  fair_share share_;
  promise_book promises_;
  queued_estimates estimates_;
  std::vector<instant> last_used_; // by device
  std::map<std::size_t, waiting> waiting_;
  std::map<batch_id, running> running_;
  std::multimap<instant, batch_id> ends_; // those that end together in the order they started
  std::optional<instant> look_again_;
  batch_id last_batch_{};
  std::size_t arrived_ = 0, done_ = 0;
  schedule played_;
};

} // namespace

result<schedule> play(const simulation& day) {
  for (std::size_t i = 0; i < day.jobs.size(); ++i) {
    if (i > 0 && day.jobs[i].arrival < day.jobs[i - 1].arrival)
      return fail(error_code::invalid_argument, "the jobs of the simulation are not in the order of their arrival");
    if (day.jobs[i].type >= day.types.size())
      return fail(error_code::invalid_argument, "a job of the simulation has a type that there is not");
  }
  for (const config::job_type& type : day.types)
    if (const auto why = why_unplaceable(day.devices, demand_of(type)))
      return fail(error_code::invalid_argument, "jobs of type " + type.name + " could never run: " + *why);
  return player(day).play();
}

} // namespace ferry::scheduling
