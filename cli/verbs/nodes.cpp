#include "cli/json_text.hpp"
#include "cli/node_views.hpp"
#include "cli/text.hpp"
#include "cli/verbs/verbs.hpp"

namespace ferry::cli {
namespace {

class nodes final : public action {
public:
  void declare(arguments& a) override { a.flag("-q,--quiet", quiet_, "print names alone, one a line"); }

  result<int> run(context& c) override {
    const auto answer = c.ask({.method = "GET", .path = "/nodes"});
    if (!answer)
      return fail(answer.error());
    if (quiet_)
      for (const json& node : array_field(*answer, "nodes"))
        c.print(printable(text_field(node, "name")) + "\n");
    else if (c.wants_json())
      c.print_json(to_text(*answer));
    else
      c.print(nodes_page(*answer, c.out(), wall_clock_now()));
    return exit_completed;
  }

private:
  bool quiet_ = false;
};

} // namespace

std::unique_ptr<action> make_nodes() { return std::make_unique<nodes>(); }

} // namespace ferry::cli
