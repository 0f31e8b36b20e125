#include "cli/each_job.hpp"
#include "cli/format.hpp"
#include "cli/job_views.hpp"
#include "cli/json_text.hpp"
#include "cli/verbs/verbs.hpp"

namespace ferry::cli {
namespace {

class resume final : public action {
public:
  void declare(arguments& a) override {
    a.jobs("ID", ids_, "which jobs", false);
    a.flag("-a,--all", all_, "all that `ferry suspend` suspended, and let the queue go on");
    a.flag("--as-new", as_new_, "as new jobs with the same parameters, which continue from the old ones' checkpoints");
  }

  result<int> run(context& c) override {
    if (all_ && (!ids_.empty() || as_new_))
      return fail(error_code::invalid_argument, std::string("--all goes without ") + (as_new_ ? "--as-new" : "names of jobs"));
    if (all_)
      return resume_all(c);
    if (!as_new_ || ids_.empty())
      return post_to_each_job(c, ids_, "resume");
    return for_each_job(
        c, ids_,
        {.request =
             [&](std::int64_t id) {
               return c.call({.method = "POST", .path = "/jobs/" + std::to_string(id) + "/resume", .body = R"({"as_new":true})"});
             },
         .page =
             [](const json& job) {
               return submitted_line({integer_field(job, "id").value_or(0), integer_field(job, "position")});
             }});
  }

private:
  static result<int> resume_all(context& c) {
    auto body = c.call({.method = "POST", .path = "/queue/resume"});
    if (!body)
      return fail(body.error());
    if (c.wants_json())
      c.print_json(*body);
    else
      c.print("the queue goes on; " +
              count_of(integer_field(json::parse(*body, nullptr, false), "released").value_or(0), "job", "jobs") + " resumed\n");
    return exit_completed;
  }

  std::vector<std::int64_t> ids_;
  bool all_ = false, as_new_ = false;
};

} // namespace

std::unique_ptr<action> make_resume() { return std::make_unique<resume>(); }

} // namespace ferry::cli
