#include "cli/json_text.hpp"
#include "cli/plan_views.hpp"
#include "cli/text.hpp"
#include "cli/verbs/verbs.hpp"

namespace ferry::cli {
namespace {

class stats final : public action {
public:
  void declare(arguments& a) override {
    a.positional("WHAT", what_, value_kind::choice,
                 "batches: what sharing and warm models saved; estimates: how well times were told");
    a.suggest({"batches", "estimates"});
  }

  result<int> run(context& c) override {
    if (*what_ != "batches" && *what_ != "estimates")
      return fail(error_code::invalid_argument, "WHAT must be batches or estimates, is \"" + printable(*what_) + "\"");
    auto answer = c.ask({.method = "GET", .path = "/statistics"});
    if (!answer)
      return fail(answer.error());
    if (c.wants_json())
      c.print_json(to_text(*answer));
    else
      c.print(*what_ == "batches" ? savings_page(*answer, c.out()) : estimates_page(*answer, c.out()));
    return exit_completed;
  }

private:
  std::optional<std::string> what_;
};

} // namespace

std::unique_ptr<action> make_stats() { return std::make_unique<stats>(); }

} // namespace ferry::cli
