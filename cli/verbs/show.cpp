#include "cli/each_job.hpp"
#include "cli/job_views.hpp"
#include "cli/json_text.hpp"
#include "cli/verbs/verbs.hpp"

namespace ferry::cli {
namespace {

class show final : public action {
public:
  void declare(arguments& a) override {
    a.jobs("ID", ids_, "which jobs");
    a.flag("--history", history_, "what happened to it, step by step");
  }

  result<int> run(context& c) override {
    const std::string what = history_ ? "/history" : "";
    bool first = true;
    return for_each_job(
        c, ids_,
        {.request = [&](std::int64_t id) { return c.call({.method = "GET", .path = "/jobs/" + std::to_string(id) + what}); },
         .page =
             [&](const json& answer) {
               const std::string gap = std::exchange(first, false) ? "" : "\n";
               return gap + (history_ ? history_page(answer, c.out()) : job_page(answer, c.out(), wall_clock_now()));
             }});
  }

private:
  std::vector<std::int64_t> ids_;
  bool history_ = false;
};

} // namespace

std::unique_ptr<action> make_show() { return std::make_unique<show>(); }

} // namespace ferry::cli
