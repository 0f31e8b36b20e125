// Users take turns: start-time fair queueing (Goyal, Vin and Cheng, SIGCOMM 1996) over the jobs of a tier and priority. Pure.
// Where tiers share by weight (config::fair_share_rules), all stand in one order, and each user has a flow in each lane of it,
// which is a tier; below, "user" is to be read as "user in a lane" then, and the weight is the product of both.
//
// It decides the order key of a job when it is queued, and nothing after that: a key is a virtual time, order_keys_per_ms of them a
// millisecond. The job of a user begins where their last one ends; a job is as long as the device time that it is expected to take,
// divided by its user's weight. So of those who always have jobs waiting each gets device time in proportion to the weight, and one
// user's jobs keep the order in which they were submitted.
//
// Who has nothing waiting begins where the others are (so nobody saves up turns by being idle), and as much later as they used
// the devices more, within the window, than the one who used them least of those who have jobs: at most limits::use_debt_ms_max.
//
// The bound: with w their weights, of each other user v at most (key(j) − now) · w_v and one job more start before a job j because
// of their keys, where now is the virtual time at which j was queued, and key(j) − now at most its user's own queued work over w
// plus the debt. So nobody starves, and for one user alone the order is that of submission.
//
// Virtual time, one a tier, is the key of the last job that started in its turn. A job that passes others (they wait for another
// kind of device, or their group is full) takes it no further than to the first of its priority that still waits: else newcomers
// would find themselves behind all that these have waiting.
#pragma once

#include "config/job_type.hpp"
#include "model/device.hpp"
#include "scheduling/job_queue.hpp"
#include "scheduling/type_knowledge.hpp"
#include "scheduling/users.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <tuple>

namespace ferry::scheduling {

// The jobs of a user in a tier, or lane, and of the priority that they gave them.
struct fair_flow {
  user_index user = 0;
  int tier = 0;
  int lane = 0;
  int priority = priority_default;

  [[nodiscard]] static fair_flow of(const queued_job& job) { return {job.user, job.tier, job.lane, job.priority}; }
  friend auto operator<=>(const fair_flow&, const fair_flow&) = default;
};

// The virtual times of tiers and users. Order keys and lengths of jobs are both in units of order keys.
class fair_share {
public:
  // Where a job that comes now belongs. `first`: the smallest key among those that wait there; `debt`: how much its user is behind.
  [[nodiscard]] std::int64_t key_for(const fair_flow& flow, std::optional<std::int64_t> first, std::int64_t debt) const;
  // A job stands there, and is so long; also when it was moved.
  void queued(const fair_flow& flow, std::int64_t key, std::int64_t length);
  // The last one that came is not queued after all.
  void withdrawn(const fair_flow& flow, std::int64_t key, std::int64_t length);
  // `first`: the smallest key among those of its tier and priority that still wait.
  void started(int tier, std::int64_t key, std::optional<std::int64_t> first);

  [[nodiscard]] std::int64_t now(int tier) const;
  void set_now(int tier, std::int64_t key);
  // One was cancelled; the last that its user has there now ends at `end`.
  void shortened(const fair_flow& flow, std::int64_t end);
  void forget(user_index user);

  // The virtual times of the tiers.
  [[nodiscard]] json to_json() const;
  // Errors: damaged.
  [[nodiscard]] result<void> restore(const json& stored);

private:
  void forget_past();

  std::map<int, std::int64_t> now_;
  std::map<fair_flow, std::int64_t> ends_; // of the last job of each
};

// What a job is expected to take of a device's time, by what is known now; `known` may be null.
[[nodiscard]] duration expected_device_time(const queued_job& job, const config::job_type& type, const type_knowledge* known,
                                            std::span<const device> devices, instant now);
// The part of a device that a run has: its slots.
[[nodiscard]] double device_part(int slots, const device& on);
// That, for a user of this weight.
[[nodiscard]] std::int64_t fair_length(duration device_time, double weight);

// Gives the jobs of one request their places. What it looks at must not change meanwhile, but for fair_share.
class fair_placing {
public:
  struct view {
    const job_queue& jobs;
    const user_book& users;
    instant now;
    std::function<bool(const queued_job&)> counts = {}; // whether a waiting job could start: others do not hold virtual time back
  };
  fair_placing(fair_share& share, view seen);

  [[nodiscard]] std::int64_t key_of(const queued_job& job);
  // Sets its order key, and has it age as long as those of its priority that it is put before: they would pass it again otherwise.
  void place(queued_job& job, duration device_time);
  // Of one that has a place, or is given another one.
  void note(const queued_job& job, duration device_time);

private:
  [[nodiscard]] std::int64_t debt_of(user_index user) const;

  fair_share& share_;
  view seen_;
  std::map<std::pair<int, int>, std::optional<std::int64_t>> first_; // by tier and priority
  std::map<fair_flow, bool> is_last_;                                // nobody stands behind the jobs of these
  std::optional<double> least_use_;                                  // of the users, as user_book has it
};

} // namespace ferry::scheduling
