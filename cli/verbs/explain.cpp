#include "cli/each_job.hpp"
#include "cli/plan_views.hpp"
#include "cli/verbs/verbs.hpp"

#include <utility>

namespace ferry::cli {
namespace {

class explain final : public action {
public:
  void declare(arguments& a) override { a.jobs("ID", ids_, "which jobs"); }

  result<int> run(context& c) override {
    bool first = true;
    return for_each_job(
        c, ids_,
        {.request =
             [&](std::int64_t id) { return c.call({.method = "GET", .path = "/jobs/" + std::to_string(id) + "/explanation"}); },
         .page =
             [&](const json& answer) {
               return (std::exchange(first, false) ? "" : "\n") + explanation_page(answer, c.out(), wall_clock_now());
             }});
  }

private:
  std::vector<std::int64_t> ids_;
};

} // namespace

std::unique_ptr<action> make_explain() { return std::make_unique<explain>(); }

} // namespace ferry::cli
