#include "cli/each_job.hpp"
#include "cli/follow.hpp"
#include "cli/job_views.hpp"
#include "cli/json_text.hpp"
#include "cli/verbs/verbs.hpp"

namespace ferry::cli {
namespace {

class cancel final : public action {
public:
  void declare(arguments& a) override {
    a.jobs("ID", ids_, "which jobs");
    a.flag("--if-queued", if_queued_, "not what runs by now: that goes on");
    a.flag("-w,--wait", wait_, "wait until all their processes are gone");
  }

  result<int> run(context& c) override {
    return for_each_job(c, ids_,
                        {.request = [&](std::int64_t id) -> result<std::string> {
                           auto answer = c.call({.method = "POST",
                                                 .path = "/jobs/" + std::to_string(id) + "/cancel",
                                                 .body = if_queued_ ? R"({"only_if":"queued"})" : ""});
                           if (!answer || !wait_)
                             return answer;
                           auto ended = wait_for_job(c, id);
                           if (!ended)
                             return fail(ended.error());
                           return to_text(*ended);
                         },
                         .page =
                             [](const json& job) {
                               if (!is_finished(job))
                                 return "job " + std::to_string(integer_field(job, "id").value_or(0)) + " is being stopped\n";
                               return job_line(job, wall_clock_now()) + "\n";
                             }});
  }

private:
  std::vector<std::int64_t> ids_;
  bool if_queued_ = false;
  bool wait_ = false;
};

} // namespace

std::unique_ptr<action> make_cancel() { return std::make_unique<cancel>(); }

} // namespace ferry::cli
