#include "cli/each_job.hpp"
#include "cli/json_text.hpp"
#include "cli/text.hpp"
#include "cli/verbs/verbs.hpp"

namespace ferry::cli {
namespace {

class node final : public action {
public:
  void declare(arguments& a) override {
    a.positional("ACTION", action_, value_kind::text, "drain, resume or remove");
    a.suggest({"drain", "resume", "remove"});
    a.positional("NAME", names_, value_kind::node, "which nodes");
    a.flag("--force", force_, "with remove: also while it may still run something, which is given up");
  }

  result<int> run(context& c) override {
    if (action_ != "drain" && action_ != "resume" && action_ != "remove")
      return fail(error_code::invalid_argument, "ACTION must be drain, resume or remove, is '" + printable(*action_) + "'",
                  "`ferry nodes` lists them");
    if (force_ && action_ != "remove")
      return fail(error_code::invalid_argument, "--force goes with remove alone");
    return for_each_of(
        c, names_.size(), [&](std::size_t i) { return c.call(request_for(names_[i])); },
        [&](const json& answer) { return told(printable(text_field(answer, "name"))); });
  }

private:
  // Twice does no more than once. So they are sent again where a daemon is not ready, as it is for a moment behind each removal.
  [[nodiscard]] request request_for(const std::string& name) const {
    const std::string path = "/nodes/" + query_escape(name);
    if (action_ == "remove")
      return {.method = "DELETE", .path = path + (force_ ? "?force=true" : ""), .harmless = true};
    return {.method = "POST", .path = path + "/" + *action_, .harmless = true};
  }

  [[nodiscard]] std::string told(const std::string& name) const {
    if (action_ == "drain")
      return "node " + name + " is drained: nothing new is started there until `ferry node resume " + name + "`\n";
    return "node " + name + (action_ == "resume" ? " takes work again\n" : " is removed\n");
  }

  std::optional<std::string> action_;
  std::vector<std::string> names_;
  bool force_ = false;
};

} // namespace

std::unique_ptr<action> make_node() { return std::make_unique<node>(); }

} // namespace ferry::cli
