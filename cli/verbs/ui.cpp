#include "cli/json_text.hpp"
#include "cli/page_link.hpp"
#include "cli/text.hpp"
#include "cli/verbs/verbs.hpp"

namespace ferry::cli {
namespace {

class ui final : public action {
public:
  void declare(arguments& a) override { a.flag("-p,--print", print_, "print the link instead of opening it"); }

  result<int> run(context& c) override {
    const auto status = c.ask({.method = "GET", .path = "/status"});
    if (!status)
      return fail(status.error());
    const auto page = page_link(*status);
    if (!page)
      return fail(page.error());
    if (c.wants_json())
      c.print_json(to_text({{"link", page->link}}));
    else if (print_)
      c.print(page->link + "\n");
    else if (open_in_browser(page->link))
      c.print("opened " + printable(page->url) + "/ in the browser\n");
    else
      c.print("no browser could be opened; open this link:\n" + page->link + "\n");
    return exit_completed;
  }

private:
  bool print_ = false;
};

} // namespace

std::unique_ptr<action> make_ui() { return std::make_unique<ui>(); }

} // namespace ferry::cli
