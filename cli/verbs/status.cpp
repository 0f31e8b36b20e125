#include "cli/daemon_views.hpp"
#include "cli/json_text.hpp"
#include "cli/verbs/verbs.hpp"

namespace ferry::cli {
namespace {

class status final : public action {
public:
  void declare(arguments&) override {}

  result<int> run(context& c) override {
    auto body = c.call({.method = "GET", .path = "/status"});
    if (!body)
      return fail(body.error());
    if (c.wants_json())
      c.print_json(*body);
    else
      c.print(status_page(json::parse(*body, nullptr, false), c.out()));
    return exit_completed;
  }
};

} // namespace

std::unique_ptr<action> make_status() { return std::make_unique<status>(); }

} // namespace ferry::cli
