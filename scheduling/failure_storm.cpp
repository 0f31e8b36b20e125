#include "scheduling/failure_storm.hpp"

namespace ferry::scheduling {
namespace {

bool is_of_the_type(failure_kind kind) {
  return kind != failure_kind::input && kind != failure_kind::lost && kind != failure_kind::device;
}

} // namespace

std::optional<std::string> failure_storm::job_ended(const config::job_type& type, job_state state,
                                                    const std::optional<failure>& why, instant now) {
  if (state == job_state::completed)
    failures_.clear();
  if (state != job_state::failed || !why || !is_of_the_type(why->kind) || type.failure_storm <= 0)
    return std::nullopt;
  failures_.push_back(now);
  while (now - failures_.front() > type.failure_storm_window)
    failures_.pop_front();
  if (static_cast<int>(failures_.size()) < type.failure_storm)
    return std::nullopt;
  failures_.clear();
  return std::to_string(type.failure_storm) + " of its jobs failed one after the other within " +
         to_words(type.failure_storm_window) + "; the last: " + why->message;
}

} // namespace ferry::scheduling
