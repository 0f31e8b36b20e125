#include "gpu/upscale/program/worker.hpp"

#include "config/limits.hpp"
#include "config/text.hpp"
#include "gpu/upscale/program/batch.hpp"
#include "gpu/upscale/program/event_reporter.hpp"
#include "gpu/upscale/program/line_reader.hpp"
#include "gpu/upscale/program/signals.hpp"

#include <array>
#include <cerrno>
#include <compare>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <set>
#include <thread>
#include <unistd.h>

namespace ferry::upscale {
namespace {

using json = nlohmann::json;

// What the reading thread has heard and the working thread is to do. Thread-safe.
class inbox {
public:
  // False: too many wait.
  bool add(std::vector<batch_entry> batch) {
    const std::lock_guard lock(mutex_);
    if (batches_.size() >= limits::worker_batches_max)
      return false;
    ++last_number_;
    for (const batch_entry& entry : batch)
      known_.insert({entry.id, last_number_});
    batches_.push_back(std::move(batch));
    changed_.notify_one();
    return true;
  }
  // False: no such job waits or runs.
  bool cancel(std::int64_t job) {
    const std::lock_guard lock(mutex_);
    const auto first = known_.lower_bound({job, 0});
    if (first == known_.end() || first->job != job)
      return false;
    for (auto one = first; one != known_.end() && one->job == job; ++one)
      cancelled_.insert(*one);
    return true;
  }
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_one();
  }
  // Waits for the next batch; false: none comes any more.
  bool next(std::vector<batch_entry>& batch) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return closed_ || !batches_.empty(); });
    if (batches_.empty() || stop_signal() != 0)
      return false;
    batch = std::move(batches_.front());
    batches_.pop_front();
    ++running_number_;
    return true;
  }
  [[nodiscard]] bool is_cancelled(std::int64_t job) {
    const std::lock_guard lock(mutex_);
    return cancelled_.contains({job, running_number_});
  }
  // The batch that ran is over.
  void forget_running() {
    const std::lock_guard lock(mutex_);
    const auto is_over = [this](const known_job& one) { return one.batch == running_number_; };
    std::erase_if(known_, is_over);
    std::erase_if(cancelled_, is_over);
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::vector<batch_entry>> batches_;
  // A job of one batch: the same id may come again as soon as its end was reported, and is another job then.
  struct known_job {
    std::int64_t job;
    std::int64_t batch; // counted from 1 in the order of arrival, which is the order of running
    auto operator<=>(const known_job&) const = default;
  };
  std::int64_t last_number_ = 0, running_number_ = 0;
  std::set<known_job> known_; // waiting or running
  std::set<known_job> cancelled_;
  bool closed_ = false;
};

// Both threads speak; each line is whole.
class guarded_reporter : public reporter {
public:
  explicit guarded_reporter(int out) : lines_(out) {}

  void ready() {
    const std::lock_guard lock(mutex_);
    lines_.ready();
  }
  void progress(std::int64_t job, const job_progress& how_far) override {
    const std::lock_guard lock(mutex_);
    lines_.progress(job, how_far);
  }
  void artifact(std::int64_t job, const std::string& path) override {
    const std::lock_guard lock(mutex_);
    lines_.artifact(job, path);
  }
  void checkpoint(std::int64_t job, const std::string& path, std::int64_t frames) override {
    const std::lock_guard lock(mutex_);
    lines_.checkpoint(job, path, frames);
  }
  void done(std::int64_t job, const job_result& result) override {
    const std::lock_guard lock(mutex_);
    lines_.done(job, result);
  }
  void failed(std::int64_t job, const error& why) override {
    const std::lock_guard lock(mutex_);
    lines_.failed(job, why);
  }
  void cancelled(std::int64_t job) override {
    const std::lock_guard lock(mutex_);
    lines_.cancelled(job);
  }
  void log(std::int64_t job, const std::string& text) override {
    const std::lock_guard lock(mutex_);
    lines_.log(job, text);
  }
  [[nodiscard]] bool is_heard() const override {
    const std::lock_guard lock(mutex_);
    return lines_.is_heard();
  }

private:
  mutable std::mutex mutex_;
  event_reporter lines_;
};

class listener {
public:
  listener(int in, inbox& to, reporter& says) : in_(in), to_(to), says_(says), lines_(limits::worker_line_bytes_max) {}

  // Until the input ends, a `stop` comes, or a signal.
  void listen() {
    std::array<char, 65536> piece{};
    while (!stopped_) {
      std::array<pollfd, 2> sources{{{in_, POLLIN, 0}, {stop_descriptor(), POLLIN, 0}}};
      if (::poll(sources.data(), sources.size(), -1) < 0 && errno != EINTR)
        break;
      if (stop_signal() != 0)
        break;
      if (sources[0].revents == 0)
        continue;
      const ssize_t count = ::read(in_, piece.data(), piece.size());
      if (count < 0 && (errno == EINTR || errno == EAGAIN))
        continue;
      if (count <= 0)
        break;
      lines_.feed(
          {piece.data(), static_cast<std::size_t>(count)}, [this](std::string_view line) { hear(line); },
          [this] {
            says_.log(0, "a line of more than " + std::to_string(limits::worker_line_bytes_max) + " bytes was passed over");
          });
    }
    if (!stopped_ && !lines_.rest().empty())
      hear(lines_.rest());
    to_.close();
  }

private:
  void hear(std::string_view line) {
    if (stopped_ || line.find_first_not_of(" \t\r") == std::string_view::npos)
      return;
    try {
      const json said = json::parse(line);
      const std::string type = said.at("type").get<std::string>();
      if (type == "run")
        take(said);
      else if (type == "cancel")
        cancel(said.at("job").get<std::int64_t>());
      else if (type == "stop")
        stopped_ = true;
      else
        says_.log(0, "there is no \"" + config::shortened(type) + "\": run, cancel and stop are understood");
    } catch (const json::exception&) { says_.log(0, "cannot be understood: " + config::shortened(line, 200)); }
  }

  void take(const json& said) {
    auto entries = entries_from(said);
    if (!entries) {
      says_.log(0, "cannot be run: " + to_string(entries.error()));
      return;
    }
    std::vector<std::int64_t> ids;
    for (const batch_entry& entry : *entries)
      ids.push_back(entry.id);
    if (to_.add(std::move(*entries)))
      return;
    for (const std::int64_t id : ids)
      says_.failed(
          id, {error_code::unavailable, std::to_string(limits::worker_batches_max) + " batches wait already", "try again later"});
  }

  void cancel(std::int64_t job) {
    if (!to_.cancel(job))
      says_.log(job, "job " + std::to_string(job) + " neither runs nor waits here: not cancelled");
  }

  int in_;
  inbox& to_;
  reporter& says_;
  line_reader lines_;
  bool stopped_ = false;
};

} // namespace

int run_worker(int in, int out, const compute_options& options) {
  guarded_reporter says(out);
  inbox orders;
  engines networks(options, [&says](const std::string& text) { says.log(0, text); });
  listener ears(in, orders, says);
  std::thread listening([&ears] { ears.listen(); });
  says.ready();
  const batch_control control{[] { return stop_signal() != 0; }, [&orders](std::int64_t job) { return orders.is_cancelled(job); }};
  std::vector<batch_entry> batch;
  while (orders.next(batch)) {
    (void)run_batch(std::move(batch), networks, says, control);
    orders.forget_running();
  }
  listening.join();
  return stop_signal() != 0 ? 128 + stop_signal() : says.is_heard() ? 0 : 1;
}

} // namespace ferry::upscale
