#include "cli/each_job.hpp"
#include "cli/follow.hpp"
#include "cli/job_views.hpp"
#include "cli/json_text.hpp"
#include "cli/verbs/verbs.hpp"

namespace ferry::cli {
namespace {

class wait final : public action {
public:
  void declare(arguments& a) override {
    a.jobs("ID", ids_, "which jobs");
    a.flag("-q,--quiet", quiet_, "print nothing; the exit status says it");
  }

  result<int> run(context& c) override {
    leave_on_interrupt(ids_);
    c.daemon().set_patience(std::chrono::minutes(1));
    bool all_completed = true;
    auto status = for_each_job(c, ids_,
                               {.request = [&](std::int64_t id) -> result<std::string> {
                                  auto job = wait_for_job(c, id);
                                  if (!job)
                                    return fail(job.error());
                                  all_completed &= text_field(*job, "status") == "completed";
                                  return to_text(*job);
                                },
                                .page = [&](const json& job) { return quiet_ ? "" : job_line(job, wall_clock_now()) + "\n"; }});
    if (!status || *status != 0)
      return status;
    return all_completed ? exit_completed : exit_not_completed;
  }

private:
  std::vector<std::int64_t> ids_;
  bool quiet_ = false;
};

} // namespace

std::unique_ptr<action> make_wait() { return std::make_unique<wait>(); }

} // namespace ferry::cli
