#include "cli/json_text.hpp"
#include "cli/verbs/verbs.hpp"

namespace ferry::cli {
namespace {

class version final : public action {
public:
  void declare(arguments&) override {}

  result<int> run(context& c) override {
    if (c.wants_json())
      c.print_json(to_text({{"version", FERRY_VERSION}}));
    else
      c.print("ferry " FERRY_VERSION "\n");
    return exit_completed;
  }
};

} // namespace

std::unique_ptr<action> make_version() { return std::make_unique<version>(); }

} // namespace ferry::cli
