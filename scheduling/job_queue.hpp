// The queued jobs in order, and nothing else about them. A pure value: no clock, no files, no messages.
//
// Order: jobs that may start before held ones, then priority descending, then order key ascending, then id. Position, k-th job,
// insert, remove and reorder are O(log n); a queued job costs about 115 bytes.
#pragma once

#include "model/error.hpp"
#include "model/ids.hpp"
#include "model/job.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace ferry::scheduling {

// A job type by its place in the type table of the running daemon.
using type_index = std::uint16_t;

struct queued_job {
  job_id id;
  std::int64_t order_key = 0;
  type_index type = 0;
  std::uint16_t attempts = 0;
  std::uint8_t priority = priority_default;
  bool held = false;

  friend bool operator==(const queued_job&, const queued_job&) = default;
};

// New jobs and renumbered ones stand this far apart, so that others can be moved between them.
inline constexpr std::int64_t order_key_step = std::int64_t{1} << 20;

struct to_top {};
struct to_bottom {};
struct to_position {
  std::size_t position = 1;
}; // 1-based, in the whole queue
using move_target = std::variant<to_top, to_bottom, to_position>;

class job_queue {
public:
  job_queue();
  ~job_queue();
  job_queue(job_queue&&) noexcept;
  job_queue& operator=(job_queue&&) noexcept;

  // False, and nothing is changed, when the id is there already.
  bool add(const queued_job& job);
  std::optional<queued_job> remove(job_id id);
  // False when there is no such job. The id cannot change.
  bool replace(const queued_job& job);
  [[nodiscard]] std::optional<queued_job> find(job_id id) const;

  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] std::size_t held() const;
  // 1-based among the jobs that are not held; nothing for held and unknown jobs.
  [[nodiscard]] std::optional<std::size_t> position(job_id id) const;
  // In order from the offset-th (0-based), held ones last.
  [[nodiscard]] std::vector<queued_job> page(std::size_t offset, std::size_t limit) const;
  // Of each type below `type_count`, the first `per_type` jobs that are not held; merged in order.
  [[nodiscard]] std::vector<queued_job> heads(std::size_t type_count, std::size_t per_type) const;

  // The jobs that change, with their new order keys, to bring one job to a place within its own priority; usually that job alone,
  // more where there is no room between its new neighbours. Changes nothing itself.
  // Errors: not_found; conflict for a held job; invalid_argument for a place outside of its priority, naming the places allowed.
  [[nodiscard]] result<std::vector<queued_job>> plan_move(job_id id, move_target target) const;

  // The first broken invariant in words, or nothing. For tests and for debug builds.
  [[nodiscard]] std::optional<std::string> check_invariants() const;

private:
  struct indices;
  std::unique_ptr<indices> indices_;
};

// True when `a` is to start before `b`.
[[nodiscard]] bool comes_before(const queued_job& a, const queued_job& b);

} // namespace ferry::scheduling
