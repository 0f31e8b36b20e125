#include "cli/json_text.hpp"
#include "cli/plan_views.hpp"
#include "cli/verbs/verbs.hpp"
#include "config/limits.hpp"

namespace ferry::cli {
namespace {

class batches final : public action {
public:
  void declare(arguments& a) override {
    a.integer("-n,--limit", limit_, "N", "how many of those to come; default 20", 1,
              static_cast<std::int64_t>(limits::page_rows_max));
  }

  result<int> run(context& c) override {
    auto answer = c.ask({.method = "GET", .path = "/batches?limit=" + std::to_string(limit_.value_or(20))});
    if (!answer)
      return fail(answer.error());
    if (c.wants_json())
      c.print_json(to_text(*answer));
    else
      c.print(batches_page(*answer, c.out(), wall_clock_now()));
    return exit_completed;
  }

private:
  std::optional<std::int64_t> limit_;
};

} // namespace

std::unique_ptr<action> make_batches() { return std::make_unique<batches>(); }

} // namespace ferry::cli
