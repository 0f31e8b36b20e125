#include "cli/follow.hpp"
#include "cli/job_views.hpp"
#include "cli/verbs/verbs.hpp"

#include <unistd.h>

namespace ferry::cli {
namespace {

class logs final : public action {
public:
  void declare(arguments& a) override {
    a.job("ID", id_, "which job");
    a.flag("-f,--follow", follow_, "go on until the job has ended");
    a.integer("-n,--lines", lines_, "N", "only the last N lines", 0, INT64_MAX);
  }

  result<int> run(context& c) override {
    std::int64_t offset = 0;
    if (lines_) {
      const auto begin = tail_offset(c, id_, *lines_);
      if (!begin)
        return fail(begin.error());
      offset = *begin;
    }
    if (!follow_) {
      auto copied = copy_log(c, id_, offset);
      return copied ? result<int>(exit_completed) : fail(copied.error());
    }
    leave_on_interrupt({id_});
    c.daemon().set_patience(std::chrono::minutes(1));
    const auto job = follow_job(c, id_, offset);
    if (!job)
      return fail(job.error());
    if (is_terminal(STDERR_FILENO))
      c.note(job_line(*job, wall_clock_now()) + "\n");
    return exit_completed;
  }

private:
  std::int64_t id_ = 0;
  bool follow_ = false;
  std::optional<std::int64_t> lines_;
};

} // namespace

std::unique_ptr<action> make_logs() { return std::make_unique<logs>(); }

} // namespace ferry::cli
