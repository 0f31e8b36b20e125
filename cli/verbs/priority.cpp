#include "cli/each_job.hpp"
#include "cli/job_views.hpp"
#include "cli/json_text.hpp"
#include "cli/plan_views.hpp"
#include "cli/text.hpp"
#include "cli/verbs/verbs.hpp"

#include <charconv>

namespace ferry::cli {
namespace {

class set_priority final : public action {
public:
  void declare(arguments& a) override {
    a.job("ID", id_, "which job");
    a.positional("N", priority_, value_kind::integer, "0-100, larger first");
    a.flag("--dry-run", dry_run_, "change nothing: show whose start would change, and by how much");
  }

  result<int> run(context& c) override {
    int priority = 0;
    const char* const last = priority_->data() + priority_->size();
    const auto [end, failed] = std::from_chars(priority_->data(), last, priority);
    if (failed != std::errc{} || end != last || priority < priority_min || priority > priority_max)
      return fail(error_code::invalid_argument,
                  "the priority must be a whole number from 0 to 100, is \"" + printable(*priority_) + "\"");
    return for_each_job(c, {id_},
                        {.request =
                             [&](std::int64_t id) {
                               json change = {{"priority", priority}};
                               if (dry_run_)
                                 change["dry_run"] = true;
                               return c.call({.method = "PATCH", .path = "/jobs/" + std::to_string(id), .body = to_text(change)});
                             },
                         .page =
                             [&](const json& answer) {
                               return dry_run_ ? changes_page(answer, c.out(), wall_clock_now())
                                               : job_line(answer, wall_clock_now()) + "\n";
                             }});
  }

private:
  std::int64_t id_ = 0;
  std::optional<std::string> priority_;
  bool dry_run_ = false;
};

} // namespace

std::unique_ptr<action> make_priority() { return std::make_unique<set_priority>(); }

} // namespace ferry::cli
