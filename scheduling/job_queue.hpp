// The queued jobs in order, and nothing else about them. A pure value: no clock, no files, no messages.
//
// Order: jobs that may start before those that are held, delayed or wait for jobs that they need, then tier descending, then
// effective priority descending (aging.hpp), then order key ascending, then id. Position, k-th job, insert, remove, reorder and a
// step of aging are O(log n); a queued job costs about 170 bytes.
#pragma once

#include "model/error.hpp"
#include "model/ids.hpp"
#include "model/job.hpp"
#include "model/time.hpp"
#include "scheduling/aging.hpp"
#include "scheduling/named_groups.hpp"
#include "scheduling/users.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace ferry::scheduling {

// A job type by its place in the type table of the running daemon.
using type_index = std::uint16_t;

// Jobs that may run together, as far as tolerances allow: see batch_groups. The first ones are those of the types as a whole.
using group_index = std::uint32_t;

struct queued_job {
  job_id id;
  std::int64_t order_key = 0;
  instant created{};
  instant waits_since{}; // of a job that may start: since when it could, or what it was put before (fair_share.hpp)
  group_index group = 0;
  type_index type = 0;
  std::uint16_t items = 1;                  // of its next run, or of the one that it is in
  std::uint16_t items_done = 0;             // in runs that are over: see job_parts
  std::uint16_t items_in_all = 0;           // of a job that may run in parts; 0: it runs with all that it has
  std::uint32_t estimate_ms = 0;            // how long its next run takes alone; 0: nothing is known
  std::uint32_t alike = 0;                  // what else is known of such jobs: see queued_estimates
  std::uint8_t estimate_spread = 0;         // estimate::spread in hundredths
  std::uint8_t items_max = 0;               // a run of it takes at most so many items; 0: no bound of its own
  named_group_index named_group = 0;        // that its user put it into
  user_index user = 0;                      // whose it is
  std::uint8_t priority = priority_default; // that its user gave it
  std::uint8_t steps = 0;                   // that it has gained by waiting: see aging.hpp
  std::uint8_t retries = 0;                 // that the retry policy asked for
  std::uint8_t batch_max = 0;               // it runs with at most so many jobs, all of them such as this one; 0: no such bound
  std::uint8_t tier : 4 = 0;                // of its type; 0 where tiers share by weight
  std::uint8_t lane : 4 = 0;                // the tier of its type, where tiers share by weight; else 0: see fair_share.hpp
  std::uint8_t start_crashes : 2 = 0;       // daemon or supervisor died while it was being started
  bool held : 1 = false;
  bool delayed : 1 = false; // its time has not come: see job_queue::delay
  bool tried : 1 = false;   // it has had an attempt that counts
  bool blocked : 1 = false; // jobs that it needs have not completed: see need_book

  [[nodiscard]] bool may_start() const { return !held && !delayed && !blocked; }
  [[nodiscard]] int effective() const { return effective_priority(priority, steps); }
  // It could not start before.
  void begin_to_wait(instant since) {
    waits_since = since;
    steps = 0;
  }
  friend bool operator==(const queued_job&, const queued_job&) = default;
};

// Order keys are times of fair sharing (fair_share.hpp); where users do not share, they are numbers in the order of submission.
inline constexpr std::int64_t order_keys_per_ms = 1024;
// Then new jobs, and always renumbered ones, stand this far apart, so that others can be moved between them.
inline constexpr std::int64_t order_key_step = std::int64_t{1} << 20;

struct to_top {};
struct to_bottom {};
struct to_position {
  std::size_t position = 1;
}; // 1-based, in the whole queue
using move_target = std::variant<to_top, to_bottom, to_position>;

class job_queue {
public:
  // Jobs gain a step of priority with each such period that they wait; 0: never.
  explicit job_queue(duration aging = {});
  ~job_queue();
  job_queue(job_queue&&) noexcept;
  job_queue& operator=(job_queue&&) noexcept;

  // False, and nothing is changed, when the id is there already.
  bool add(const queued_job& job);
  std::optional<queued_job> remove(job_id id);
  // False when there is no such job. The id cannot change.
  bool replace(const queued_job& job);
  [[nodiscard]] std::optional<queued_job> find(job_id id) const;

  // Adds a job, or changes one that is there: it may not start before `until`. Times of jobs that left are forgotten.
  void delay(queued_job job, instant until);
  // Lets those start whose time has come, and says how many.
  std::size_t release_due(instant now);
  [[nodiscard]] std::optional<instant> next_due() const;

  // Gives those a step that have waited for it, at most so many steps; how many. O(log n) each.
  std::size_t age(instant now, std::size_t limit);
  [[nodiscard]] std::optional<instant> next_step() const;
  [[nodiscard]] duration aging() const;

  [[nodiscard]] std::optional<instant> delayed_until(job_id id) const;
  // The delayed jobs that are neither held nor blocked, those first whose time comes first.
  [[nodiscard]] std::vector<std::pair<queued_job, instant>> delayed(std::size_t limit) const;

  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] std::size_t kept_back() const; // held, delayed or blocked
  // 1-based among the jobs that may start; nothing for others.
  [[nodiscard]] std::optional<std::size_t> position(job_id id) const;
  // In order from the offset-th (0-based), those that may not start last.
  [[nodiscard]] std::vector<queued_job> page(std::size_t offset, std::size_t limit) const;
  // Of each group that has any, the first jobs that may start, as many as `wanted` says of the first of them, of each named group
  // among them at most as many as it has room for; merged in order.
  [[nodiscard]] std::vector<queued_job> heads(const std::function<std::size_t(const queued_job&)>& wanted,
                                              const std::function<std::size_t(named_group_index)>& room = {}) const;
  [[nodiscard]] bool has_group(group_index group) const; // any job of it, also a held one
  [[nodiscard]] std::size_t queued_in(named_group_index named) const;
  [[nodiscard]] std::size_t queued_of(user_index user) const;

  // Of the jobs of a tier that were given this priority, may start and are taken by `counts`: the smallest order key. Bounded:
  // looks at the first few of each effective priority that they may have by now; so does the next one.
  [[nodiscard]] std::optional<std::int64_t> first_key(int tier, int priority,
                                                      const std::function<bool(const queued_job&)>& counts = {}) const;
  // The one of this user's that comes last.
  [[nodiscard]] std::optional<queued_job> last_alike(const queued_job& job) const;
  // Since when the one of them has waited that waits longest, of those that have a larger order key than this.
  [[nodiscard]] std::optional<instant> longest_wait_behind(int tier, int priority, std::int64_t order_key) const;

  // The jobs that change, with their new order keys, to bring one job to a place within its own tier and effective priority;
  // usually that job alone, more where there is no room between its new neighbours. Changes nothing itself. Errors: not_found;
  // conflict for one that may not start; invalid_argument for a place outside of its priority, naming the places allowed.
  [[nodiscard]] result<std::vector<queued_job>> plan_move(job_id id, move_target target) const;

  // The first broken invariant in words, or nothing. For tests and for debug builds.
  [[nodiscard]] std::optional<std::string> check_invariants() const;

private:
  struct indices;
  void forget_delay(job_id id);
  std::unique_ptr<indices> indices_;
};

// True when `a` is to start before `b`.
[[nodiscard]] bool comes_before(const queued_job& a, const queued_job& b);

} // namespace ferry::scheduling
