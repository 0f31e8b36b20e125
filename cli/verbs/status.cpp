#include "cli/daemon_views.hpp"
#include "cli/json_text.hpp"
#include "cli/verbs/verbs.hpp"

namespace ferry::cli {
namespace {

class status final : public action {
public:
  void declare(arguments&) override {}

  result<int> run(context& c) override {
    const request what{.method = "GET", .path = "/status"};
    if (c.wants_json()) {
      auto body = c.call(what);
      if (!body)
        return fail(body.error());
      c.print_json(*body);
      return exit_completed;
    }
    const auto answer = c.ask(what);
    if (!answer)
      return fail(answer.error());
    c.print(status_page(*answer, c.out()));
    return exit_completed;
  }
};

} // namespace

std::unique_ptr<action> make_status() { return std::make_unique<status>(); }

} // namespace ferry::cli
