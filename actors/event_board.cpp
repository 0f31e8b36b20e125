#include "actors/event_board.hpp"

#include <algorithm>
#include <utility>

namespace ferry::actors {

void event_board::job_changed(job_change what) {
  {
    const std::lock_guard lock(mutex_);
    what.number = ++last_;
    if (what.state != job_state::running)
      progress_.erase(what.id);
    const auto place = static_cast<std::size_t>(last_ % limits::events_kept);
    if (place >= ring_.size())
      ring_.resize(place + 1);
    ring_[place] = std::move(what);
    first_ = std::max(first_, last_ >= limits::events_kept ? last_ - limits::events_kept + 1 : 1);
  }
  tell();
}

void event_board::job_progressed(job_id id, const progress& how_far) {
  {
    const std::lock_guard lock(mutex_);
    if (followers_ == 0)
      return;
    progress_.insert_or_assign(id, job_progress{++last_progress_, id, how_far});
  }
  tell();
}

void event_board::queue_changed() {
  {
    const std::lock_guard lock(mutex_);
    ++queue_;
  }
  tell();
}

void event_board::restarted(std::string why) {
  {
    const std::lock_guard lock(mutex_);
    restarted_at_ = first_ = ++last_ + 1; // no change has the number between
    why_restarted_ = std::move(why);
    progress_.clear();
    ++queue_;
  }
  tell();
}

event_board::edition event_board::now() const {
  const std::lock_guard lock(mutex_);
  return {last_, last_progress_, queue_};
}

event_board::news event_board::since(std::uint64_t cursor, std::optional<job_id> only) const {
  const std::lock_guard lock(mutex_);
  news found{.last = last_, .why_lost = {}, .jobs = {}};
  if (cursor > last_)
    found.why_lost = "these events are of another start of the daemon";
  else if (cursor + 1 < restarted_at_)
    found.why_lost = why_restarted_;
  else if (cursor + 1 < first_ || (!only && last_ - cursor > limits::events_at_once_max))
    found.why_lost = std::to_string(last_ - cursor) + " changes were missed";
  if (found.why_lost)
    return found;
  for (std::uint64_t number = cursor + 1; number <= last_; ++number)
    if (const auto& one = ring_[static_cast<std::size_t>(number % limits::events_kept)]; !only || one.id == *only)
      found.jobs.push_back(one);
  return found;
}

std::vector<event_board::job_progress> event_board::progress_since(std::uint64_t number, std::optional<job_id> only) const {
  std::vector<job_progress> found;
  const std::lock_guard lock(mutex_);
  for (const auto& [id, one] : progress_)
    if (one.number > number && (!only || id == *only))
      found.push_back(one);
  std::sort(found.begin(), found.end(), [](const job_progress& a, const job_progress& b) { return a.number < b.number; });
  return found;
}

void event_board::follower_came() {
  const std::lock_guard lock(mutex_);
  ++followers_;
}

void event_board::follower_left() {
  const std::lock_guard lock(mutex_);
  if (--followers_ == 0)
    progress_.clear();
}

std::size_t event_board::on_change(std::function<void()> wake) {
  const std::lock_guard lock(wake_mutex_);
  wakers_.emplace(++last_waker_, std::move(wake));
  return last_waker_;
}

void event_board::forget_waker(std::size_t number) {
  const std::lock_guard lock(wake_mutex_);
  wakers_.erase(number);
}

void event_board::tell() {
  if (!is_awaited_.exchange(false))
    return;
  const std::lock_guard lock(wake_mutex_);
  for (const auto& [number, wake] : wakers_)
    wake();
}

} // namespace ferry::actors
