// Jobs' progress and ends as JSON lines, each written whole by one call: into the file that $FERRY_EVENTS names, or to the queue
// that a worker speaks with.
//   {"type":"ready"}
//   {"type":"progress","job":1,"value":0.4,"step":4,"total":10,"message":"tiles"}       at most ten a second and job
//   {"type":"artifact","job":1,"path":"upscaled.png"}
//   {"type":"checkpoint","job":1,"path":".upscaled.mp4.segments","step":120}
//   {"type":"done","job":1,"result":{"path":"upscaled.png","width":1280,"height":854,"model":"slim","scale":2,"control_weight":1.0,
//     "device":"CPU, …","seconds":0.8,"prompt":"…"}}      a folder: "pictures"; a video: "frames", "resumed_frames"; where there
//     are any: "notes"
//   {"type":"failed","job":1,"error":"…","kind":"oom|input|transient"}                 without kind: cancelled, or a fault of the
//   program's own
//   {"type":"log","job":1,"message":"…"}
#pragma once

#include "gpu/upscale/program/reporter.hpp"

#include <filesystem>
#include <string>

namespace ferry::upscale {

class event_reporter : public reporter {
public:
  // `descriptor` stays the caller's and outlives this.
  explicit event_reporter(int descriptor);

  void ready();
  // The same failure for every job there is.
  void all_failed(const error& why);

  void progress(std::int64_t job, const job_progress& how_far) override;
  void artifact(std::int64_t job, const std::string& path) override;
  void checkpoint(std::int64_t job, const std::string& path, std::int64_t frames) override;
  void done(std::int64_t job, const job_result& result) override;
  void failed(std::int64_t job, const error& why) override;
  void cancelled(std::int64_t job) override;
  void log(std::int64_t job, const std::string& text) override;
  [[nodiscard]] bool is_heard() const override { return is_heard_; }

private:
  void write_line(std::string line);

  int descriptor_;
  bool is_heard_ = true;
  progress_gate gate_;
};

} // namespace ferry::upscale
