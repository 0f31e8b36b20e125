// Says how jobs go: to the queue as JSON lines (event_reporter), to people as text (text_reporter). A line that cannot be written
// stops no job; it is remembered.
#pragma once

#include "gpu/upscale/program/upscale_job.hpp"
#include "model/error.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ferry::upscale {

struct job_progress {
  std::optional<double> fraction; // 0–1
  std::int64_t step = 0;
  std::optional<std::int64_t> total;
  std::string message; // what is counted
};

// Lets a job's progress through at most so often, the last step always.
class progress_gate {
public:
  explicit progress_gate(std::chrono::milliseconds pause) : pause_(pause) {}
  [[nodiscard]] bool lets_through(std::int64_t job, const job_progress& how_far);

private:
  std::chrono::milliseconds pause_;
  std::map<std::int64_t, std::chrono::steady_clock::time_point> last_;
};

class reporter {
public:
  virtual ~reporter() = default;

  virtual void progress(std::int64_t job, const job_progress& how_far) = 0;
  // `path` relative to the job's folder.
  virtual void artifact(std::int64_t job, const std::string& path) = 0;
  // The job can be continued from `path` (absolute, or relative to its folder), where so many frames are done.
  virtual void checkpoint(std::int64_t job, const std::string& path, std::int64_t frames) = 0;
  virtual void done(std::int64_t job, const job_result& result) = 0;
  virtual void failed(std::int64_t job, const error& why) = 0;
  virtual void cancelled(std::int64_t job) = 0;
  // job 0: of no job in particular.
  virtual void log(std::int64_t job, const std::string& text) = 0;
  // False: something that was to be said could not be written.
  [[nodiscard]] virtual bool is_heard() const { return true; }
};

// Tells each of several.
[[nodiscard]] std::unique_ptr<reporter> all_of(std::vector<std::unique_ptr<reporter>> reporters);

// What the queue is to make of an error: "oom", "input", "transient", or empty for a fault that fits none.
[[nodiscard]] std::string kind_of(const error& why);

} // namespace ferry::upscale
