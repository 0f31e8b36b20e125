#include "model/version.hpp"
#include "cli/json_text.hpp"
#include "cli/verbs/verbs.hpp"

namespace ferry::cli {
namespace {

class tell_version final : public action {
public:
  void declare(arguments&) override {}

  result<int> run(context& c) override {
    if (c.wants_json())
      c.print_json(to_text({{"version", ferry::version}}));
    else
      c.print(std::string("ferry ") + ferry::version + "\n");
    return exit_completed;
  }
};

} // namespace

std::unique_ptr<action> make_version() { return std::make_unique<tell_version>(); }

} // namespace ferry::cli
