#include "cli/verbs/verbs.hpp"

namespace ferry::cli {
namespace {

class unpause_queue final : public action {
public:
  void declare(arguments&) override {}

  result<int> run(context& c) override {
    auto body = c.call({.method = "POST", .path = "/queue/unpause"});
    if (!body)
      return fail(body.error());
    if (c.wants_json())
      c.print_json(*body);
    else
      c.print("jobs are started again\n");
    return exit_completed;
  }
};

} // namespace

std::unique_ptr<action> make_unpause() { return std::make_unique<unpause_queue>(); }

} // namespace ferry::cli
