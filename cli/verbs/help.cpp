#include "cli/help.hpp"

#include "cli/text.hpp"
#include "cli/verbs/verbs.hpp"
#include "config/text.hpp"

namespace ferry::cli {
namespace {

class help final : public action {
public:
  void declare(arguments& a) override {
    a.positional("VERB", verb_, value_kind::choice, "say what this verb does and takes", false);
    std::vector<std::string> names;
    for (const verb& v : all_verbs())
      names.emplace_back(v.name);
    a.suggest(std::move(names));
  }

  result<int> run(context& c) override {
    if (!verb_) {
      c.print(overview());
      return exit_completed;
    }
    const verb* found = find_verb(*verb_);
    if (!found) {
      std::vector<std::string> names;
      for (const verb& v : all_verbs())
        names.emplace_back(v.name);
      return fail(error_code::invalid_argument, "there is no verb \"" + printable(*verb_) + "\"",
                  config::did_you_mean(*verb_, names));
    }
    c.print(verb_help(*found));
    return exit_completed;
  }

private:
  std::optional<std::string> verb_;
};

} // namespace

std::unique_ptr<action> make_help() { return std::make_unique<help>(); }

} // namespace ferry::cli
