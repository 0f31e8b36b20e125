#include "cli/follow.hpp"

#include "cli/format.hpp"
#include "cli/job_views.hpp"
#include "cli/json_text.hpp"
#include "cli/log_printer.hpp"
#include "config/limits.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <thread>
#include <unistd.h>

namespace ferry::cli {
namespace {

using steady = std::chrono::steady_clock;

// A daemon that answers a long poll at once, with nothing new, is not asked more often than this.
constexpr std::chrono::milliseconds poll_at_most_every{200};
constexpr std::chrono::seconds progress_every{1};
constexpr std::int64_t log_piece_bytes = limits::log_chunk_bytes_max;
constexpr std::int64_t tail_piece_bytes = 64 * 1024;
constexpr std::chrono::seconds long_poll{limits::wait_seconds_max};

class pace {
public:
  void before() { began_ = steady::now(); }
  void after_nothing_new() const { std::this_thread::sleep_until(began_ + poll_at_most_every); }

private:
  steady::time_point began_ = steady::now();
};

std::string path_of(std::int64_t id) { return "/jobs/" + std::to_string(id); }

// A piece of a job's log. Waits up to `wait` for one when there is nothing at `offset` yet.
result<response> read_log(context& c, std::int64_t id, std::int64_t offset, std::int64_t limit, std::chrono::seconds wait = {}) {
  std::string path = path_of(id) + "/log?offset=" + std::to_string(offset) + "&limit=" + std::to_string(limit);
  if (wait.count() > 0)
    path += "&wait=" + std::to_string(wait.count());
  return c.daemon().send({.method = "GET", .path = path, .wait = wait});
}

std::unique_ptr<log_printer> printer_for(const context& c, bool live) {
  if (c.wants_json())
    return std::make_unique<json_log_printer>();
  // A file or a pipe gets the bytes as they are.
  if (live && is_terminal(STDOUT_FILENO))
    return std::make_unique<tidy_log_printer>();
  return std::make_unique<raw_log_printer>();
}

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

result<json> follow_job(context& c, std::int64_t id, std::int64_t offset) {
  live_line bottom(is_terminal(STDERR_FILENO));
  const auto printer = printer_for(c, bottom.enabled());
  for (pace p;;) {
    p.before();
    if (bottom.enabled()) {
      auto job = c.ask({.method = "GET", .path = path_of(id)});
      if (!job)
        return job;
      bottom.show(progress_line(*job, c.err(), wall_clock_now()));
    }
    auto piece = read_log(c, id, offset, log_piece_bytes, bottom.enabled() ? progress_every : long_poll);
    if (!piece)
      return fail(piece.error());
    std::string text = printer->take(piece->body, offset);
    offset = piece->log_next;
    if (piece->log_complete)
      text += printer->finish();
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

result<void> copy_log(context& c, std::int64_t id, std::int64_t offset) {
  const auto printer = printer_for(c, false);
  for (bool more = true; more;) {
    auto piece = read_log(c, id, offset, log_piece_bytes);
    if (!piece)
      return fail(piece.error());
    c.print(printer->take(piece->body, offset));
    offset = piece->log_next;
    more = !piece->log_complete && !piece->body.empty();
    if (!more)
      c.print(printer->finish());
    if (auto written = c.flush(); !written)
      return written;
  }
  return {};
}

result<std::int64_t> tail_offset(context& c, std::int64_t id, std::int64_t lines) {
  auto piece = read_log(c, id, -tail_piece_bytes, tail_piece_bytes);
  if (!piece)
    return fail(piece.error());
  const std::int64_t size = piece->log_next;
  if (lines == 0)
    return size;
  for (std::int64_t left = lines;;) {
    const std::int64_t begin = piece->log_offset;
    for (std::size_t at = piece->body.size(); at-- > 0;) {
      const std::int64_t after = begin + static_cast<std::int64_t>(at) + 1;
      // The newline that ends the last line begins no further one.
      if (piece->body[at] == '\n' && after != size && --left == 0)
        return after;
    }
    if (begin <= 0)
      return 0;
    const std::int64_t earlier = std::max<std::int64_t>(0, begin - tail_piece_bytes);
    piece = read_log(c, id, earlier, begin - earlier);
    if (!piece)
      return fail(piece.error());
    if (piece->log_offset >= begin)
      return fail(error_code::internal, "the daemon gave the log from " + std::to_string(piece->log_offset) + " when asked for " +
                                            std::to_string(earlier));
  }
}

void leave_on_interrupt(const std::vector<std::int64_t>& ids) {
  const std::string names = id_ranges(ids);
  const std::string sentence = ids.size() == 1 ? "\njob " + names + " goes on; `ferry logs -f " + names +
                                                     "` follows it, `ferry cancel " + names + "` ends it\n"
                                               : "\nthe jobs go on\n";
  say_on_interrupt(sentence);
}

void say_on_interrupt(const std::string& sentence) {
  interrupt_length = std::min(sentence.size(), interrupt_sentence.size());
  std::copy_n(sentence.begin(), interrupt_length, interrupt_sentence.begin());
  struct sigaction handler {
  }, before{};
  if (::sigaction(SIGINT, nullptr, &before) == 0 && before.sa_handler == SIG_IGN)
    return; // started in the background, where Ctrl-C is meant for others
  handler.sa_handler = end_on_interrupt;
  ::sigaction(SIGINT, &handler, nullptr);
}

} // namespace ferry::cli
