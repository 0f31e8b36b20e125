#include "cli/client.hpp"
#include "cli/json_text.hpp"
#include "cli/table.hpp"
#include "cli/text.hpp"
#include "cli/verbs/verbs.hpp"

namespace ferry::cli {
namespace {

class token final : public action {
public:
  void declare(arguments& a) override {
    a.positional("ACTION", action_, value_kind::text, "add, list or remove");
    a.suggest({"add", "list", "remove"});
    a.positional("NAME", name_, value_kind::text, "whose token", false);
    a.choice("-r,--role", role_, "ROLE", {"read", "submit", "admin"}, false,
             "of a new token: look at everything, also submit jobs and change one's own, or all there is");
    a.flag("-q,--quiet", quiet_, "print the token, or the names, alone");
  }

  result<int> run(context& c) override {
    if (action_ != "add" && action_ != "list" && action_ != "remove")
      return fail(error_code::invalid_argument, "ACTION must be add, list or remove, is '" + printable(*action_) + "'");
    if (action_ != "list" && !name_)
      return fail(error_code::invalid_argument, "NAME is missing: whose token");
    if (action_ == "add" && !role_)
      return fail(error_code::invalid_argument, "--role is missing", "--role read, --role submit or --role admin");
    if (action_ != "add" && role_)
      return fail(error_code::invalid_argument, "--role goes with add alone");
    if (action_ == "add")
      return add(c);
    return action_ == "remove" ? remove(c) : list(c);
  }

private:
  result<int> add(context& c) const {
    auto body = c.call({.method = "POST", .path = "/tokens", .body = to_text({{"name", *name_}, {"role", *role_}})});
    if (!body)
      return fail(body.error());
    const json made = json::parse(*body, nullptr, false);
    if (c.wants_json())
      c.print_json(*body);
    else if (quiet_)
      c.print(printable(text_field(made, "token")) + "\n");
    else
      c.print("token of " + printable(*name_) + " (" + *role_ + "), shown this once:\n" + printable(text_field(made, "token")) +
              "\n");
    return exit_completed;
  }

  result<int> remove(context& c) const {
    auto body = c.call({.method = "DELETE", .path = "/tokens/" + query_escape(*name_)});
    if (!body)
      return fail(body.error());
    if (c.wants_json())
      c.print_json(*body);
    else if (!quiet_)
      c.print("the token of " + printable(*name_) + " is removed\n");
    return exit_completed;
  }

  result<int> list(context& c) const {
    const auto answer = c.ask({.method = "GET", .path = "/tokens"});
    if (!answer)
      return fail(answer.error());
    if (c.wants_json()) {
      c.print_json(to_text(*answer));
      return exit_completed;
    }
    table rows({{"NAME"}, {"ROLE"}, {"CREATED"}});
    for (const json& one : array_field(*answer, "tokens"))
      if (!name_ || text_field(one, "name") == *name_) {
        if (quiet_)
          c.print(printable(text_field(one, "name")) + "\n");
        else
          rows.add({{text_field(one, "name")}, {text_field(one, "role")}, {text_field(one, "created")}});
      }
    if (!quiet_)
      c.print(rows.empty() ? "no tokens beside that of the daemon's owner\n" : rows.render(c.out()));
    return exit_completed;
  }

  std::optional<std::string> action_, name_, role_;
  bool quiet_ = false;
};

} // namespace

std::unique_ptr<action> make_token() { return std::make_unique<token>(); }

} // namespace ferry::cli
