#include "cli/verbs/verbs.hpp"

namespace ferry::cli {
namespace {

class pause_queue final : public action {
public:
  void declare(arguments&) override {}

  result<int> run(context& c) override {
    auto body = c.call({.method = "POST", .path = "/queue/pause"});
    if (!body)
      return fail(body.error());
    if (c.wants_json())
      c.print_json(*body);
    else
      c.print("the queue is paused: nothing new is started until `ferry unpause`\n");
    return exit_completed;
  }
};

} // namespace

std::unique_ptr<action> make_pause() { return std::make_unique<pause_queue>(); }

} // namespace ferry::cli
