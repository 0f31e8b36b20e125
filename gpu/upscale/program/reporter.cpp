#include "gpu/upscale/program/reporter.hpp"

#include <algorithm>

namespace ferry::upscale {
namespace {

class several : public reporter {
public:
  explicit several(std::vector<std::unique_ptr<reporter>> reporters) : reporters_(std::move(reporters)) {}

  void progress(std::int64_t job, const job_progress& how_far) override {
    for (const auto& each : reporters_)
      each->progress(job, how_far);
  }
  void artifact(std::int64_t job, const std::string& path) override {
    for (const auto& each : reporters_)
      each->artifact(job, path);
  }
  void checkpoint(std::int64_t job, const std::string& path, std::int64_t frames) override {
    for (const auto& each : reporters_)
      each->checkpoint(job, path, frames);
  }
  void done(std::int64_t job, const job_result& result) override {
    for (const auto& each : reporters_)
      each->done(job, result);
  }
  void failed(std::int64_t job, const error& why) override {
    for (const auto& each : reporters_)
      each->failed(job, why);
  }
  void cancelled(std::int64_t job) override {
    for (const auto& each : reporters_)
      each->cancelled(job);
  }
  void log(std::int64_t job, const std::string& text) override {
    for (const auto& each : reporters_)
      each->log(job, text);
  }
  [[nodiscard]] bool is_heard() const override {
    return std::all_of(reporters_.begin(), reporters_.end(), [](const auto& each) { return each->is_heard(); });
  }

private:
  std::vector<std::unique_ptr<reporter>> reporters_;
};

} // namespace

bool progress_gate::lets_through(std::int64_t job, const job_progress& how_far) {
  const auto now = std::chrono::steady_clock::now();
  const auto [last, is_first] = last_.try_emplace(job, now);
  const bool is_last = how_far.total && how_far.step >= *how_far.total;
  if (!is_first && !is_last && now - last->second < pause_)
    return false;
  if (is_last)
    last_.erase(last); // the map holds what runs, not what ran
  else
    last->second = now;
  return true;
}

std::unique_ptr<reporter> all_of(std::vector<std::unique_ptr<reporter>> reporters) {
  return std::make_unique<several>(std::move(reporters));
}

std::string kind_of(const error& why) {
  switch (why.code) {
  case error_code::out_of_memory: return "oom";
  case error_code::invalid_argument:
  case error_code::not_found:
  case error_code::too_large:
  case error_code::damaged: return "input";
  case error_code::disk_full:
  case error_code::conflict:
  case error_code::unavailable:
  case error_code::io: return "transient";
  default: return {};
  }
}

} // namespace ferry::upscale
