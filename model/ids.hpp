// Strong ids, so that a batch_id cannot stand where a job_id is meant. Ids are positive, given in increasing order and never
// used again; 0 means "none".
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>

namespace ferry {

template <class Tag>
struct strong_id {
  std::int64_t value = 0;

  friend constexpr auto operator<=>(strong_id, strong_id) = default;
  [[nodiscard]] constexpr bool is_none() const { return value == 0; }
};

using job_id = strong_id<struct job_tag>;
using batch_id = strong_id<struct batch_tag>;
using worker_id = strong_id<struct worker_tag>; // the number of the batch it was started for

template <class Tag>
std::string to_string(strong_id<Tag> id) {
  return std::to_string(id.value);
}

} // namespace ferry

template <class Tag>
struct std::hash<ferry::strong_id<Tag>> {
  std::size_t operator()(ferry::strong_id<Tag> id) const noexcept { return std::hash<std::int64_t>{}(id.value); }
};
