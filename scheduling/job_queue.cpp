#include "scheduling/job_queue.hpp"

#include <algorithm>
#include <boost/multi_index/hashed_index.hpp>
#include <boost/multi_index/identity.hpp>
#include <boost/multi_index/key.hpp>
#include <boost/multi_index/ordered_index.hpp>
#include <boost/multi_index/ranked_index.hpp>
#include <boost/multi_index_container.hpp>
#include <boost/tuple/tuple.hpp>
#include <limits>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace ferry::scheduling {
namespace {

auto order_of(const queued_job& j) { return std::tuple{!j.may_start(), -int{j.tier}, -j.effective(), j.order_key, j.id.value}; }
auto grouped_order_of(const queued_job& j) {
  return std::tuple{!j.may_start(), j.group, j.named_group, -j.effective(), j.order_key, j.id.value};
}

struct by_order {
  bool operator()(const queued_job& a, const queued_job& b) const { return order_of(a) < order_of(b); }
};
struct by_group {
  bool operator()(const queued_job& a, const queued_job& b) const { return grouped_order_of(a) < grouped_order_of(b); }
};

// When a job gains its next step, those that gain none any more last.
struct by_step {
  duration period{};

  [[nodiscard]] instant step_of(const queued_job& j) const {
    if (period.count() <= 0 || !j.may_start() || j.steps >= aging_steps_max || j.effective() >= priority_max)
      return instant::max();
    return j.waits_since + period * (j.steps + 1);
  }
  bool operator()(const queued_job& a, const queued_job& b) const { return step_of(a) < step_of(b); }
};

// Of an effective priority, where some jobs of it are looked for.
constexpr int looked_at_max = 32;

// The smallest job of a priority level, and of a group, in their orders.
queued_job first_of_level(int tier, int priority) {
  queued_job first{.id = {INT64_MIN}, .order_key = INT64_MIN, .priority = static_cast<std::uint8_t>(priority)};
  first.tier = static_cast<std::uint8_t>(tier & 0xF);
  return first;
}
queued_job first_that_waits() {
  queued_job first = first_of_level(0xF, priority_max);
  first.held = true;
  return first;
}
queued_job first_of_group(group_index group, bool held = false) {
  queued_job first{.id = {INT64_MIN}, .order_key = INT64_MIN, .group = group, .priority = priority_max};
  first.held = held;
  return first;
}
queued_job first_behind(group_index group, named_group_index named) {
  if (named == std::numeric_limits<named_group_index>::max())
    return first_of_group(group + 1);
  queued_job first = first_of_group(group);
  first.named_group = static_cast<named_group_index>(named + 1);
  return first;
}

namespace bmi = boost::multi_index;
using identity = bmi::identity<queued_job>;
using by_id = bmi::key<&queued_job::id>;
using container = bmi::multi_index_container<
    queued_job, bmi::indexed_by<bmi::ranked_unique<identity, by_order>, bmi::ordered_unique<identity, by_group>,
                                bmi::hashed_unique<by_id, std::hash<job_id>>, bmi::ordered_non_unique<identity, by_step>>>;

container make_container(by_step steps) {
  const container::ctor_args_list arguments =
      boost::make_tuple(boost::make_tuple(identity(), by_order()), boost::make_tuple(identity(), by_group()),
                        boost::make_tuple(std::size_t{0}, by_id(), std::hash<job_id>(), std::equal_to<job_id>()),
                        boost::make_tuple(identity(), steps));
  return container(arguments);
}

} // namespace

struct job_queue::indices {
  explicit indices(duration aging) : steps{aging}, jobs(make_container(steps)) {}

  by_step steps;
  container jobs;
  std::set<std::pair<instant, job_id>> due; // of delayed jobs
  std::unordered_map<job_id, instant> due_of;
  std::unordered_map<named_group_index, std::size_t> named; // how many jobs of each named group
  std::unordered_map<user_index, std::size_t> of_users;     // and of each user

  void count(const queued_job& job, bool one_more) {
    const auto add = [one_more](std::size_t& queued) { queued = one_more ? queued + 1 : queued - 1; };
    if (job.named_group != 0)
      add(named[job.named_group]);
    add(of_users[job.user]);
  }

  // Calls `visit` for the first jobs behind this order key of each effective priority that jobs of this priority may have, until it
  // says that it has seen enough of one.
  template <class Visit>
  void walk_levels(int tier, int priority, std::int64_t behind, Visit&& visit) const {
    const int gained_max = steps.period.count() > 0 ? aging_steps_to_top(priority) : 0;
    for (int gained = 0; gained <= gained_max; ++gained) {
      queued_job from = first_of_level(tier, effective_priority(priority, gained));
      from.order_key = behind;
      int looked_at = 0;
      for (auto it = ordered().lower_bound(from); it != ordered().end() && it->may_start() && it->tier == from.tier &&
                                                  it->effective() == from.effective() && looked_at < looked_at_max;
           ++it, ++looked_at)
        if (it->priority == priority && visit(*it))
          break;
    }
  }
  [[nodiscard]] const auto& ordered() const { return jobs.get<0>(); }
  [[nodiscard]] const auto& grouped() const { return jobs.get<1>(); }
  [[nodiscard]] const auto& ids() const { return jobs.get<2>(); }
  [[nodiscard]] const auto& aging() const { return jobs.get<3>(); }
  [[nodiscard]] std::size_t not_held() const { return ordered().lower_bound_rank(first_that_waits()); }
};

bool comes_before(const queued_job& a, const queued_job& b) { return order_of(a) < order_of(b); }

job_queue::job_queue(duration aging) : indices_(std::make_unique<indices>(aging)) {}
job_queue::~job_queue() = default;
job_queue::job_queue(job_queue&&) noexcept = default;
job_queue& job_queue::operator=(job_queue&&) noexcept = default;

bool job_queue::add(const queued_job& job) {
  // A new job mostly belongs at the end: the hint makes filling the queue from the store linear.
  auto& ordered = indices_->jobs.get<0>();
  const auto before = ordered.size();
  ordered.insert(ordered.end(), job);
  if (ordered.size() == before)
    return false;
  indices_->count(job, true);
  return true;
}

std::optional<queued_job> job_queue::remove(job_id id) {
  auto& ids = indices_->jobs.get<2>();
  const auto found = ids.find(id);
  if (found == ids.end())
    return std::nullopt;
  const queued_job job = *found;
  ids.erase(found);
  indices_->count(job, false);
  forget_delay(id);
  return job;
}

bool job_queue::replace(const queued_job& job) {
  auto& ids = indices_->jobs.get<2>();
  const auto found = ids.find(job.id);
  if (found == ids.end())
    return false;
  if (!job.delayed)
    forget_delay(job.id);
  return ids.replace(found, job);
}

std::optional<queued_job> job_queue::find(job_id id) const {
  const auto found = indices_->ids().find(id);
  return found == indices_->ids().end() ? std::nullopt : std::optional{*found};
}

void job_queue::delay(queued_job job, instant until) {
  job.delayed = true;
  forget_delay(job.id);
  if (!add(job))
    replace(job);
  indices_->due.emplace(until, job.id);
  indices_->due_of.insert_or_assign(job.id, until);
}

void job_queue::forget_delay(job_id id) {
  if (indices_->due_of.empty())
    return;
  const auto found = indices_->due_of.find(id);
  if (found == indices_->due_of.end())
    return;
  indices_->due.erase({found->second, id});
  indices_->due_of.erase(found);
}

std::size_t job_queue::release_due(instant now) {
  std::size_t released = 0;
  while (!indices_->due.empty() && indices_->due.begin()->first <= now) {
    auto job = find(indices_->due.begin()->second);
    job->delayed = false;
    job->begin_to_wait(indices_->due.begin()->first);
    replace(*job); // forgets the delay
    ++released;
  }
  return released;
}

std::optional<instant> job_queue::next_due() const {
  return indices_->due.empty() ? std::nullopt : std::optional{indices_->due.begin()->first};
}

std::optional<instant> job_queue::delayed_until(job_id id) const {
  const auto found = indices_->due_of.find(id);
  return found == indices_->due_of.end() ? std::nullopt : std::optional{found->second};
}

std::vector<std::pair<queued_job, instant>> job_queue::delayed(std::size_t limit) const {
  std::vector<std::pair<queued_job, instant>> rows;
  for (auto it = indices_->due.begin(); it != indices_->due.end() && rows.size() < limit; ++it)
    if (const auto job = find(it->second); !job->held && !job->blocked)
      rows.emplace_back(*job, it->first);
  return rows;
}

std::size_t job_queue::age(instant now, std::size_t limit) {
  std::size_t gained = 0;
  for (auto next = next_step(); gained < limit && next && *next <= now; next = next_step(), ++gained) {
    auto& aging = indices_->jobs.get<3>();
    aging.modify(aging.begin(), [](queued_job& job) { ++job.steps; });
  }
  return gained;
}

std::optional<instant> job_queue::next_step() const {
  const auto& aging = indices_->aging();
  const auto next = aging.empty() ? instant::max() : indices_->steps.step_of(*aging.begin());
  return next == instant::max() ? std::nullopt : std::optional(next);
}

duration job_queue::aging() const { return indices_->steps.period; }

std::size_t job_queue::size() const { return indices_->jobs.size(); }
std::size_t job_queue::kept_back() const { return size() - indices_->not_held(); }

std::optional<std::size_t> job_queue::position(job_id id) const {
  const auto found = indices_->ids().find(id);
  if (found == indices_->ids().end() || !found->may_start())
    return std::nullopt;
  return indices_->ordered().rank(indices_->jobs.project<0>(found)) + 1;
}

std::vector<queued_job> job_queue::page(std::size_t offset, std::size_t limit) const {
  std::vector<queued_job> rows;
  const auto& ordered = indices_->ordered();
  if (offset >= ordered.size())
    return rows;
  rows.reserve(std::min(limit, ordered.size() - offset));
  for (auto it = ordered.nth(offset); it != ordered.end() && rows.size() < limit; ++it)
    rows.push_back(*it);
  return rows;
}

std::vector<queued_job> job_queue::heads(const std::function<std::size_t(const queued_job&)>& wanted,
                                         const std::function<std::size_t(named_group_index)>& room) const {
  // The jobs of one group and one named group that may start; in order, as far as there is room.
  struct lane {
    container::nth_index<1>::type::const_iterator next, end;
    std::size_t left;
  };
  const auto is_later = [](const lane& a, const lane& b) { return comes_before(*b.next, *a.next); };
  std::vector<queued_job> found;
  std::vector<lane> lanes;
  const auto& grouped = indices_->grouped();
  for (auto it = grouped.begin(); it != grouped.end() && it->may_start();) {
    const group_index group = it->group;
    const std::size_t per_group = wanted(*it);
    for (lanes.clear(); it != grouped.end() && it->may_start() && it->group == group;) {
      const auto end = grouped.lower_bound(first_behind(group, it->named_group));
      if (const auto left = room ? room(it->named_group) : per_group; left > 0)
        lanes.push_back({it, end, left});
      it = end;
    }
    std::make_heap(lanes.begin(), lanes.end(), is_later);
    for (std::size_t taken = 0; taken < per_group && !lanes.empty(); ++taken) {
      std::pop_heap(lanes.begin(), lanes.end(), is_later);
      lane& first = lanes.back();
      found.push_back(*first.next);
      if (++first.next == first.end || --first.left == 0)
        lanes.pop_back();
      else
        std::push_heap(lanes.begin(), lanes.end(), is_later);
    }
  }
  std::sort(found.begin(), found.end(), comes_before);
  return found;
}

std::size_t job_queue::queued_in(named_group_index named) const {
  const auto found = indices_->named.find(named);
  return found == indices_->named.end() ? 0 : found->second;
}

std::size_t job_queue::queued_of(user_index user) const {
  const auto found = indices_->of_users.find(user);
  return found == indices_->of_users.end() ? 0 : found->second;
}

std::optional<std::int64_t> job_queue::first_key(int tier, int priority,
                                                 const std::function<bool(const queued_job&)>& counts) const {
  std::optional<std::int64_t> first;
  indices_->walk_levels(tier, priority, INT64_MIN, [&](const queued_job& job) {
    const bool is_it = !counts || counts(job);
    if (is_it)
      first = std::min(first.value_or(job.order_key), job.order_key);
    return is_it;
  });
  return first;
}

std::optional<queued_job> job_queue::last_alike(const queued_job& job) const {
  std::optional<queued_job> last;
  const int gained_max = aging().count() > 0 ? aging_steps_to_top(job.priority) : 0;
  const auto& ordered = indices_->ordered();
  for (int gained = 0; gained <= gained_max; ++gained) {
    queued_job behind = first_of_level(job.tier, effective_priority(job.priority, gained));
    const int level = behind.effective();
    behind.order_key = INT64_MAX;
    int looked_at = 0;
    for (auto it = ordered.lower_bound(behind); it != ordered.begin() && looked_at < looked_at_max; ++looked_at) {
      --it;
      if (!it->may_start() || it->tier != behind.tier || it->effective() != level)
        break;
      if (it->priority != job.priority || it->user != job.user || it->lane != job.lane)
        continue;
      if (!last || last->order_key < it->order_key)
        last = *it;
      break;
    }
  }
  return last;
}

std::optional<instant> job_queue::longest_wait_behind(int tier, int priority, std::int64_t order_key) const {
  std::optional<instant> longest;
  indices_->walk_levels(tier, priority, order_key, [&](const queued_job& job) {
    if (job.order_key > order_key)
      longest = std::min(longest.value_or(job.waits_since), job.waits_since);
    return false;
  });
  return longest;
}

bool job_queue::has_group(group_index group) const {
  const auto& grouped = indices_->grouped();
  const auto starts = grouped.lower_bound(first_of_group(group)), waits = grouped.lower_bound(first_of_group(group, true));
  return (starts != grouped.end() && starts->may_start() && starts->group == group) ||
         (waits != grouped.end() && waits->group == group);
}

result<std::vector<queued_job>> job_queue::plan_move(job_id id, move_target target) const {
  const auto moved = find(id);
  if (!moved)
    return fail(error_code::not_found, "job " + to_string(id) + " is not queued");
  if (!moved->may_start())
    return fail(error_code::conflict,
                "job " + to_string(id) + " is " +
                    (moved->held      ? "held"
                     : moved->delayed ? "delayed"
                                      : "waiting for jobs that it needs") +
                    " and has no position",
                moved->held ? "release it first" : "");

  const auto& ordered = indices_->ordered();
  const std::size_t level_begin = ordered.lower_bound_rank(first_of_level(moved->tier, moved->effective()));
  const std::size_t level_end = moved->effective() > priority_min
                                    ? ordered.lower_bound_rank(first_of_level(moved->tier, moved->effective() - 1))
                                : moved->tier > 0 ? ordered.lower_bound_rank(first_of_level(moved->tier - 1, priority_max))
                                                  : indices_->not_held();
  std::size_t rank = level_begin;
  if (std::holds_alternative<to_bottom>(target))
    rank = level_end - 1;
  else if (const auto* wanted = std::get_if<to_position>(&target)) {
    if (wanted->position < level_begin + 1 || wanted->position > level_end)
      return fail(error_code::invalid_argument,
                  "position " + std::to_string(wanted->position) + " is outside of priority " + std::to_string(moved->effective()) +
                      (moved->steps > 0 ? " (which it has by waiting)" : "") +
                      (moved->tier > 0 ? " of tier " + std::to_string(moved->tier) : "") + ", which holds positions " +
                      std::to_string(level_begin + 1) + " to " + std::to_string(level_end),
                  "change the job's priority to move it further");
    rank = wanted->position - 1;
  }
  const std::size_t own_rank = *position(id) - 1;
  if (rank == own_rank)
    return std::vector<queued_job>{};

  // The neighbours it will have; the job itself is not one of them.
  const std::size_t next_rank = rank > own_rank ? rank + 1 : rank;
  const bool has_previous = next_rank > level_begin, has_next = next_rank < level_end;
  auto change = *moved;
  if (!has_previous) {
    change.order_key = ordered.nth(next_rank)->order_key - order_key_step;
    return std::vector{change};
  }
  const std::int64_t previous_key = ordered.nth(next_rank - 1)->order_key;
  if (!has_next) {
    change.order_key = previous_key + order_key_step;
    return std::vector{change};
  }
  const std::int64_t next_key = ordered.nth(next_rank)->order_key;
  if (next_key - previous_key >= 2) {
    change.order_key = previous_key + (next_key - previous_key) / 2;
    return std::vector{change};
  }
  // No room: push the jobs behind it on until there is.
  change.order_key = previous_key + 1;
  std::vector changes{change};
  auto last_key = change.order_key;
  for (std::size_t r = next_rank; r < level_end; ++r) {
    queued_job behind = *ordered.nth(r);
    if (behind.id == id)
      continue;
    if (behind.order_key > last_key)
      break;
    behind.order_key = ++last_key;
    changes.push_back(behind);
  }
  return changes;
}

std::optional<std::string> job_queue::check_invariants() const {
  const auto& ordered = indices_->ordered();
  if (ordered.size() != indices_->grouped().size() || ordered.size() != indices_->ids().size() ||
      ordered.size() != indices_->aging().size())
    return "the indices hold different numbers of jobs";
  std::size_t rank = 0;
  const queued_job* previous = nullptr;
  for (const queued_job& job : ordered) {
    if (previous && !comes_before(*previous, job))
      return "job " + to_string(job.id) + " is out of order";
    if (job.id.is_none() || job.priority > priority_max)
      return "job " + to_string(job.id) + " has an impossible id or priority";
    const auto at = position(job.id);
    if (job.may_start() ? at != rank + 1 : at.has_value())
      return "job " + to_string(job.id) + " has a wrong position";
    if (job.steps > aging_steps_max || (aging().count() == 0 && job.steps > 0))
      return "job " + to_string(job.id) + " has gained more steps than there are";
    if (job.delayed != delayed_until(job.id).has_value())
      return "job " + to_string(job.id) + " is delayed without a time, or the other way round";
    previous = &job;
    ++rank;
  }
  std::unordered_map<named_group_index, std::size_t> named;
  for (const queued_job& job : ordered)
    if (job.named_group != 0)
      ++named[job.named_group];
  for (const auto& [of, queued] : indices_->named)
    if (queued != (named.contains(of) ? named.at(of) : 0))
      return "the jobs of a named group are counted wrongly";
  std::unordered_map<user_index, std::size_t> of_users;
  for (const queued_job& job : ordered)
    ++of_users[job.user];
  for (const auto& [user, queued] : indices_->of_users)
    if (queued != (of_users.contains(user) ? of_users.at(user) : 0))
      return "the jobs of a user are counted wrongly";
  if (indices_->due.size() != indices_->due_of.size())
    return "the times of delayed jobs are not the same by time and by job";
  return std::nullopt;
}

} // namespace ferry::scheduling
