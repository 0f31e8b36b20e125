// What happens to jobs, for those who follow along (server-sent events). The queue writes here in the step that changes a job; the
// HTTP thread reads. Nothing is kept for a reader: each has a cursor, the number of the last change it has seen, and whoever is
// too far behind is told so instead of what was missed. Writing takes a lock for a moment and never grows with the readers.
#pragma once

#include "config/limits.hpp"
#include "model/job.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace ferry::actors {

class event_board {
public:
  // What became of a job. Numbers are consecutive.
  struct job_change {
    std::uint64_t number = 0; // given by the board
    job_id id;
    job_state state = job_state::queued;
    bool held = false;
    bool is_edited = false;      // its name may be another one
    std::string_view phase = {}; // of a running job; static text
    batch_id batch = {};
    std::string device = {};
  };
  struct job_progress {
    std::uint64_t number = 0; // of all progress; the latest of a job replaces what was there
    job_id id;
    progress how_far;
  };
  // What a reader has not seen.
  struct news {
    std::uint64_t last = 0;              // the cursor from now on
    std::optional<std::string> why_lost; // set: changes were missed, read everything anew
    std::vector<job_change> jobs;        // oldest first
  };
  // Differs whenever there is anything new.
  struct edition {
    std::uint64_t jobs = 0, progress = 0, queue = 0;
    bool operator==(const edition&) const = default;
  };

  event_board() { ring_.reserve(limits::events_kept); }

  // ---- written by the queue
  void job_changed(job_change what);
  void job_progressed(job_id id, const progress& how_far);
  void queue_changed(); // the order, the counts or the pause
  // What was said before counts no more.
  void restarted(std::string why);

  // ---- read by the HTTP thread
  [[nodiscard]] edition now() const;
  [[nodiscard]] news since(std::uint64_t cursor, std::optional<job_id> only) const;
  [[nodiscard]] std::vector<job_progress> progress_since(std::uint64_t number, std::optional<job_id> only) const;
  // Progress is kept only while somebody follows.
  void follower_came();
  void follower_left();
  // `wake` is called, on the thread that writes, by the first change after each wake_me(), whoever said that. Until it is forgotten
  // by the number that it got; no call is under way then.
  [[nodiscard]] std::size_t on_change(std::function<void()> wake);
  void forget_waker(std::size_t number);
  void wake_me() { is_awaited_ = true; }

private:
  void tell();

  mutable std::mutex mutex_;
  std::vector<job_change> ring_; // by number, modulo limits::events_kept
  std::uint64_t first_ = 1, last_ = 0;
  std::uint64_t restarted_at_ = 0; // cursors before this one
  std::string why_restarted_;
  std::uint64_t last_progress_ = 0, queue_ = 0;
  std::unordered_map<job_id, job_progress> progress_; // of running jobs
  std::size_t followers_ = 0;
  std::atomic<bool> is_awaited_{false};
  std::mutex wake_mutex_;
  std::map<std::size_t, std::function<void()>> wakers_;
  std::size_t last_waker_ = 0;
};

} // namespace ferry::actors
