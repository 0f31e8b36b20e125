// What the simulated head and nodes share: true time, what happens next, chance, a network that loses, delays, repeats and
// reorders, and a record of which job runs where, as the jobs themselves would tell it.
#pragma once

#include "scheduling/node_book.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace ferry::scheduling::test {

using nanoseconds = std::chrono::nanoseconds;

// Rules that are broken on purpose, to see that the simulation finds it.
enum class flaw {
  none,
  node_counts_from_the_answer, // not from when it sent what was answered
  head_gives_up_early,         // it does not wait for the whole lease
  margin_is_too_small,         // for the drift of the clocks and a late KILL
  shims_ignore_the_lease,      // only the daemon knows of it
  late_joins_are_believed,     // what a join does not name never started, at once
  node_obeys_earlier_sessions, // also orders that were on their way in one that is over
  head_sends_before_it_stores, // the order to run is under way when the head dies
  node_forgets_before_the_ack, // of ends that it reported
  head_answers_requests_twice, // also those that the network repeats
  other_machines_take_names,   // whose runs the head may not give up yet
};

// How often something happened that the rules are for.
struct tally {
  int completed = 0, ended_by_lease = 0, refused = 0, lost = 0, never_started = 0, sent_in_vain = 0, adopted = 0, ended_at_join = 0,
      names_refused = 0;
  tally& operator+=(const tally& other) {
    completed += other.completed;
    ended_by_lease += other.ended_by_lease;
    refused += other.refused;
    lost += other.lost;
    never_started += other.never_started;
    sent_in_vain += other.sent_in_vain;
    adopted += other.adopted;
    ended_at_join += other.ended_at_join;
    names_refused += other.names_refused;
    return *this;
  }
};

class world {
public:
  world(std::uint64_t seed, flaw which) : wrong(which), random_(seed) {}

  const flaw wrong;
  boot_instant now{std::chrono::hours(100)};
  bool is_calm = false; // the network does no harm any more
  tally seen = {};
  std::optional<std::string> broken = {};

  void fail(const std::string& what) {
    if (!broken)
      broken = what + ", after " + std::to_string((now - boot_instant{std::chrono::hours(100)}).count() / 1'000'000) + " ms";
  }

  // ---- chance
  bool chance(double of) { return std::uniform_real_distribution<>()(random_) < of; }
  nanoseconds between(nanoseconds least, nanoseconds most) {
    return nanoseconds(std::uniform_int_distribution<std::int64_t>(least.count(), most.count())(random_));
  }
  std::size_t pick(std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(random_); }

  // ---- what happens next
  void after(nanoseconds delay, std::function<void()> what) {
    events_.push_back({now + delay, ++last_event_, std::move(what)});
    std::push_heap(events_.begin(), events_.end());
  }
  // False: nothing will ever happen.
  bool step() {
    if (events_.empty())
      return false;
    std::pop_heap(events_.begin(), events_.end());
    const event next = std::move(events_.back());
    events_.pop_back();
    now = next.when;
    next.what();
    return true;
  }

  // ---- the network
  // One way between the head and a machine: lost where it is cut when the message leaves or arrives.
  void send(const bool& is_cut, std::function<void()> arrives) {
    using namespace std::chrono_literals;
    if (is_cut || (!is_calm && chance(0.01)))
      return;
    const int times = !is_calm && chance(0.1) ? 2 : 1;
    for (int i = 0; i < times; ++i) {
      const auto delay = !is_calm && chance(0.02) ? between(0ms, 20s) : between(1ms, 80ms);
      after(delay, [&is_cut, arrives] {
        if (!is_cut)
          arrives();
      });
    }
  }

  // ---- what runs
  void begins(job_id job, batch_id batch, const std::string& machine) {
    begun_.insert(batch);
    const auto [other, is_alone] = running_.emplace(job, machine);
    if (!is_alone)
      fail("job " + to_string(job) + " runs on " + other->second + " and in batch " + to_string(batch) + " on " + machine);
  }
  void ends(job_id job) { running_.erase(job); }
  [[nodiscard]] bool has_begun(batch_id batch) const { return begun_.contains(batch); }

private:
  struct event {
    boot_instant when;
    std::uint64_t number = 0;
    std::function<void()> what;
    bool operator<(const event& other) const { return when != other.when ? when > other.when : number > other.number; }
  };
  std::mt19937_64 random_;
  std::vector<event> events_; // a heap, the next on top
  std::uint64_t last_event_ = 0;
  std::map<job_id, std::string> running_;
  std::set<batch_id> begun_;
};

// A process that can be killed and stopped. What arrives while it stands still is done when it goes on, timers before or after it.
class simulated_process {
public:
  explicit simulated_process(world& in) : in_(in) {}

  [[nodiscard]] bool is_alive() const { return alive_; }
  void start() {
    alive_ = true;
    ++life_;
  }
  void kill() {
    alive_ = paused_ = false;
    ++life_;
    waiting_.clear();
  }
  void pause() { paused_ = alive_; }
  void go_on() {
    if (!std::exchange(paused_, false))
      return;
    auto all = std::exchange(waiting_, {});
    const bool timers_first = in_.chance(0.5);
    std::stable_partition(all.begin(), all.end(), [&](const task& each) { return each.is_timer == timers_first; });
    const auto life = life_;
    for (const task& each : all)
      if (life == life_)
        each.what();
  }
  void receive(std::function<void()> what) { perform({std::move(what), false}); }
  void after(nanoseconds delay, std::function<void()> what) {
    in_.after(delay, [this, life = life_, what = std::move(what)]() mutable {
      if (life == life_)
        perform({std::move(what), true});
    });
  }

private:
  struct task {
    std::function<void()> what;
    bool is_timer = false;
  };
  void perform(task what) {
    if (paused_)
      waiting_.push_back(std::move(what));
    else if (alive_)
      what.what();
  }

  world& in_;
  bool alive_ = false, paused_ = false;
  std::uint64_t life_ = 0;
  std::vector<task> waiting_;
};

// ---- what they say to each other

enum class run_end { completed, stopped, by_lease, refused, vanished };
struct ending {
  batch_id batch;
  run_end how = run_end::completed;
};
struct order {
  batch_id batch;
  job_id job = {}; // none: it is to be stopped
  bool survives = false;
  nanoseconds length{};
};
struct request {
  enum class kind { join, report, await_orders, leave };
  kind what = kind::join;
  std::uint64_t number = 0; // of this node, never used again
  session_number session = 0;
  node_offer offer = {};
  std::vector<ending> endings = {};
};
struct answer {
  std::uint64_t number = 0;
  session_number session = 0; // 0: it is over, or the join was refused
  node_welcome welcome = {};
  std::vector<order> orders = {};
};

} // namespace ferry::scheduling::test
