#include "cli/follow.hpp"

#include "cli/format.hpp"
#include "cli/job_views.hpp"
#include "cli/json_text.hpp"
#include "config/limits.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <thread>
#include <unistd.h>
#include <utility>

namespace ferry::cli {
namespace {

using steady = std::chrono::steady_clock;

// A daemon that answers a long poll at once, with nothing new, is not asked more often than this.
constexpr std::chrono::milliseconds poll_at_most_every{200};
constexpr std::chrono::seconds progress_every{1};
constexpr std::chrono::seconds long_poll{limits::wait_seconds_max};

class pace {
public:
  void before() { began_ = steady::now(); }
  void after_nothing_new() const { std::this_thread::sleep_until(began_ + poll_at_most_every); }

private:
  steady::time_point began_ = steady::now();
};

std::string path_of(std::int64_t id) { return "/jobs/" + std::to_string(id); }

// What a terminal shows between two redraws of the line below: the last state of a line that rewrites itself (a progress bar made
// with carriage returns), and only whole lines; the rest waits.
class log_lines {
public:
  std::string take(std::string_view bytes) {
    pending_ += bytes;
    std::string whole;
    for (std::size_t end; (end = pending_.find('\n')) != pending_.npos; pending_.erase(0, end + 1)) {
      std::string_view line(pending_.data(), end);
      if (line.ends_with('\r'))
        line.remove_suffix(1);
      if (const auto rewritten = line.rfind('\r'); rewritten != line.npos)
        line.remove_prefix(rewritten + 1);
      whole += std::string(line) + "\n";
    }
    // A bar that rewrites itself for hours is one line without end.
    if (const auto rewritten = pending_.rfind('\r'); rewritten != pending_.npos && rewritten + 1 < pending_.size())
      pending_.erase(0, rewritten + 1);
    if (pending_.size() > line_bytes_max)
      whole += std::exchange(pending_, {});
    return whole;
  }
  std::string finish() { return pending_.empty() ? std::string() : take("\n"); }

private:
  static constexpr std::size_t line_bytes_max = 64 * 1024;
  std::string pending_;
};

std::array<char, 512> interrupt_sentence{};
std::size_t interrupt_length = 0;

extern "C" void end_on_interrupt(int) {
  const ssize_t written = ::write(STDERR_FILENO, interrupt_sentence.data(), interrupt_length);
  static_cast<void>(written);
  ::_exit(exit_interrupted);
}

} // namespace

result<json> wait_for_job(context& c, std::int64_t id) {
  for (pace p;; p.after_nothing_new()) {
    p.before();
    auto job = c.ask({.method = "GET", .path = path_of(id) + "?wait=" + std::to_string(long_poll.count()), .wait = long_poll});
    if (!job || is_finished(*job))
      return job;
  }
}

result<response> read_log(context& c, std::int64_t id, std::int64_t offset, std::int64_t limit, std::chrono::seconds wait) {
  std::string path = path_of(id) + "/log?offset=" + std::to_string(offset) + "&limit=" + std::to_string(limit);
  if (wait.count() > 0)
    path += "&wait=" + std::to_string(wait.count());
  return c.daemon().send({.method = "GET", .path = path, .wait = wait});
}

result<json> follow_job(context& c, std::int64_t id, std::int64_t offset) {
  live_line bottom(is_terminal(STDERR_FILENO));
  const bool tidy = bottom.enabled() && is_terminal(STDOUT_FILENO); // a file gets the bytes as they are
  log_lines lines;
  for (pace p;;) {
    p.before();
    if (bottom.enabled()) {
      auto job = c.ask({.method = "GET", .path = path_of(id)});
      if (!job)
        return job;
      bottom.show(progress_line(*job, c.err(), wall_clock_now()));
    }
    const auto wait = bottom.enabled() ? progress_every : long_poll;
    auto piece = read_log(c, id, offset, limits::log_chunk_bytes_max, wait);
    if (!piece)
      return fail(piece.error());
    offset = piece->log_next;
    std::string text = tidy ? lines.take(piece->body) : piece->body;
    if (piece->log_complete && tidy)
      text += lines.finish();
    if (!text.empty()) {
      bottom.clear();
      c.print(text);
      if (auto written = c.flush(); !written)
        return fail(written.error());
    }
    if (piece->log_complete)
      break;
    if (piece->body.empty())
      p.after_nothing_new();
  }
  bottom.clear();
  return wait_for_job(c, id);
}

void leave_on_interrupt(const std::vector<std::int64_t>& ids) {
  const std::string names = id_ranges(ids);
  const std::string sentence = ids.size() == 1 ? "\njob " + names + " goes on; `ferry logs -f " + names + "` follows it, `ferry cancel " +
                                                     names + "` ends it\n"
                                               : "\nthe jobs go on\n";
  interrupt_length = std::min(sentence.size(), interrupt_sentence.size());
  std::copy_n(sentence.begin(), interrupt_length, interrupt_sentence.begin());
  struct sigaction handler {};
  handler.sa_handler = end_on_interrupt;
  ::sigaction(SIGINT, &handler, nullptr);
}

} // namespace ferry::cli
