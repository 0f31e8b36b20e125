#include "cli/completion_scripts.hpp"
#include "cli/verbs/verbs.hpp"

namespace ferry::cli {
namespace {

class completion final : public action {
public:
  void declare(arguments& a) override {
    a.positional("SHELL", shell_, value_kind::choice, "bash, zsh or fish");
    a.suggest({"bash", "zsh", "fish"});
  }

  result<int> run(context& c) override {
    auto script = completion_script(*shell_);
    if (!script)
      return fail(script.error());
    c.print(*script);
    return exit_completed;
  }

private:
  std::optional<std::string> shell_;
};

} // namespace

std::unique_ptr<action> make_completion() { return std::make_unique<completion>(); }

} // namespace ferry::cli
