#include "cli/client.hpp"
#include "cli/daemon_views.hpp"
#include "cli/json_text.hpp"
#include "cli/text.hpp"
#include "cli/verbs/verbs.hpp"
#include "config/limits.hpp"

namespace ferry::cli {
namespace {

class group final : public action {
public:
  void declare(arguments& a) override {
    a.positional("NAME", name_, value_kind::group, "which group; all without", false);
    a.integer("--parallel", parallel_, "N", "at most so many of its jobs run at once; 0: no limit", 0, limits::group_parallel_max);
    a.flag("--pause", pause_, "start none of its jobs; what runs goes on");
    a.flag("--unpause", unpause_, "start its jobs again");
    a.flag("-q,--quiet", quiet_, "print names alone, one a line");
  }

  result<int> run(context& c) override {
    if (pause_ && unpause_)
      return fail(error_code::invalid_argument, "--pause and --unpause cannot be given together");
    const bool changes = pause_ || unpause_ || parallel_;
    if (changes && !name_)
      return fail(error_code::invalid_argument, "NAME is missing: which group to change", "`ferry group` lists them");
    return changes ? change(c) : list(c);
  }

private:
  result<int> change(context& c) const {
    json wanted = json::object();
    if (parallel_)
      wanted["parallel"] = *parallel_;
    if (pause_ || unpause_)
      wanted["paused"] = pause_;
    auto body = c.call({.method = "PATCH", .path = "/groups/" + query_escape(*name_), .body = to_text(wanted)});
    if (!body)
      return fail(body.error());
    if (c.wants_json())
      c.print_json(*body);
    else if (quiet_)
      c.print(printable(*name_) + "\n");
    else
      c.print(group_line(json::parse(*body, nullptr, false)));
    return exit_completed;
  }

  result<int> list(context& c) const {
    const auto answer = c.ask({.method = "GET", .path = "/groups"});
    if (!answer)
      return fail(answer.error());
    const json& groups = array_field(*answer, "groups");
    const json* one = nullptr;
    for (const json& known : groups)
      if (name_ && text_field(known, "name") == *name_)
        one = &known;
    if (name_ && !one)
      return fail(error_code::not_found, "there is no group \"" + printable(*name_) + "\"", "`ferry group` lists them");
    if (quiet_)
      for (const json& known : groups)
        c.print(!one || &known == one ? printable(text_field(known, "name")) + "\n" : "");
    else if (c.wants_json())
      c.print_json(to_text(one ? *one : *answer));
    else
      c.print(one ? group_line(*one) : groups_page(groups, c.out()));
    return exit_completed;
  }

  std::optional<std::string> name_;
  std::optional<std::int64_t> parallel_;
  bool pause_ = false, unpause_ = false, quiet_ = false;
};

} // namespace

std::unique_ptr<action> make_group() { return std::make_unique<group>(); }

} // namespace ferry::cli
