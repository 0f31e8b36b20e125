// Jobs' progress and ends as text on standard error: on a terminal a line that is drawn anew, elsewhere a line now and then.
#pragma once

#include "gpu/upscale/program/reporter.hpp"

namespace ferry::upscale {

class text_reporter : public reporter {
public:
  // `shows_progress`: false where somebody else shows it.
  explicit text_reporter(bool shows_progress);
  ~text_reporter() override;

  void progress(std::int64_t job, const job_progress& how_far) override;
  void artifact(std::int64_t job, const std::string& path) override;
  void checkpoint(std::int64_t job, const std::string& path, std::int64_t frames) override;
  void done(std::int64_t job, const job_result& result) override;
  void failed(std::int64_t job, const error& why) override;
  void cancelled(std::int64_t job) override;
  void log(std::int64_t job, const std::string& text) override;

private:
  void print(std::int64_t job, const std::string& text);
  void wipe();

  bool shows_progress_;
  bool on_terminal_;
  bool line_is_drawn_ = false;
  progress_gate gate_;                                 // on a terminal
  std::chrono::steady_clock::time_point last_printed_; // elsewhere
};

} // namespace ferry::upscale
