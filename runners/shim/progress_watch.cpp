#include "runners/shim/progress_watch.hpp"

#include "runners/run_directory.hpp"

#include <algorithm>
#include <fcntl.h>
#include <sys/stat.h>

namespace ferry::runners {
namespace {

using namespace std::chrono_literals;

constexpr auto pause_min = 100ms, pause_max = 800ms;
// Of the output only the newest part matters; a program that prints faster than this is not read in full.
constexpr std::int64_t output_bytes_a_look = 256 * 1024;
// A pattern costs more a byte.
constexpr std::int64_t pattern_bytes_a_look = 16 * 1024;
constexpr std::int64_t reported_bytes_a_look = 1024 * 1024;
// What a job reports beyond this is not read.
constexpr std::int64_t reported_bytes_max = 64 * 1024 * 1024;
constexpr std::size_t piece_bytes = 64 * 1024;

std::int64_t size_of(int file) {
  struct stat info {};
  return ::fstat(file, &info) == 0 && S_ISREG(info.st_mode) ? info.st_size : 0;
}

} // namespace

progress_watch::progress_watch(const run_spec& spec, int directory, int output)
    : spec_(spec), directory_(directory), output_(output), reported_(spec.jobs), pause_(pause_min) {}

progress_watch::findings progress_watch::look(instant now) {
  const bool printed = read_output();
  const bool reported = read_reported(reported_bytes_a_look, now);
  pause_ = printed || reported ? pause_min : std::min(pause_ * 2, pause_max);
  return found(now);
}

progress_watch::findings progress_watch::last_look(instant now) {
  read_output();
  read_reported(reported_bytes_max, now);
  reported_.end(now);
  return found(now);
}

bool progress_watch::read_output() {
  using enum config::progress_source;
  if (spec_.progress == none || spec_.progress == events || (spec_.progress == automatic && reported_.any_progress()))
    return false;
  const std::int64_t size = size_of(output_);
  if (size < output_offset_) { // the job truncated its own log
    output_offset_ = 0;
    if (output_progress_)
      output_progress_->lose_place();
  }
  if (size == output_offset_)
    return false;
  if (!output_progress_)
    output_progress_.emplace(spec_.progress, spec_.progress_pattern);
  const std::int64_t most = spec_.progress == pattern ? pattern_bytes_a_look : output_bytes_a_look;
  if (size - output_offset_ > most) {
    output_offset_ = size - most;
    output_progress_->lose_place();
  }
  room_.resize(piece_bytes);
  while (output_offset_ < size) {
    const auto wanted = std::min<std::size_t>(room_.size(), static_cast<std::size_t>(size - output_offset_));
    const ssize_t read = ::pread(output_, room_.data(), wanted, output_offset_);
    if (read <= 0)
      break;
    output_progress_->feed({room_.data(), static_cast<std::size_t>(read)});
    output_offset_ += read;
  }
  return true;
}

bool progress_watch::read_reported(std::int64_t bytes_max, instant now) {
  if (!reported_file_) {
    // Without waiting: the job might have put a pipe there.
    reported_file_.reset(::openat(directory_, run_file::reported, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
    if (!reported_file_)
      return false;
  }
  const std::int64_t size = std::min({size_of(reported_file_.get()), reported_offset_ + bytes_max, reported_bytes_max});
  if (size <= reported_offset_)
    return false;
  room_.resize(piece_bytes);
  while (reported_offset_ < size) {
    const auto wanted = std::min<std::size_t>(room_.size(), static_cast<std::size_t>(size - reported_offset_));
    const ssize_t read = ::pread(reported_file_.get(), room_.data(), wanted, reported_offset_);
    if (read <= 0)
      break;
    reported_.feed({room_.data(), static_cast<std::size_t>(read)}, now);
    reported_offset_ += read;
  }
  return true;
}

progress_watch::findings progress_watch::found(instant now) {
  findings all;
  all.events = reported_.take_events();
  if (spec_.progress == config::progress_source::none)
    return all;
  all.progress = reported_.take_progress();
  if (output_progress_ && !reported_.any_progress())
    if (auto printed = output_progress_->take())
      all.progress.push_back({job_id{}, std::move(*printed), now});
  return all;
}

} // namespace ferry::runners
