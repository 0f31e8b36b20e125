#include "cli/daemon_views.hpp"
#include "cli/json_text.hpp"
#include "cli/text.hpp"
#include "cli/verbs/verbs.hpp"
#include "config/text.hpp"

namespace ferry::cli {
namespace {

class types final : public action {
public:
  void declare(arguments& a) override {
    a.positional("TYPE", type_, value_kind::job_type, "one job type, with its parameters", false);
    a.flag("-q,--quiet", quiet_, "print names alone, one a line");
  }

  result<int> run(context& c) override {
    if (c.wants_json() && !type_ && !quiet_) {
      auto body = c.call({.method = "GET", .path = "/job-types"});
      if (!body)
        return fail(body.error());
      c.print_json(*body);
      return exit_completed;
    }
    auto answer = c.ask({.method = "GET", .path = "/job-types"});
    if (!answer)
      return fail(answer.error());
    std::vector<std::string> names;
    for (const json& type : array_field(*answer, "job_types")) {
      names.push_back(text_field(type, "name"));
      if (type_ && names.back() == *type_)
        return print_one(c, type);
    }
    if (type_)
      return fail(error_code::not_found, "there is no job type \"" + printable(*type_) + "\"", config::did_you_mean(*type_, names));
    if (quiet_)
      for (const std::string& name : names)
        c.print(printable(name) + "\n");
    else
      c.print(types_page(*answer, c.out()));
    return exit_completed;
  }

private:
  result<int> print_one(context& c, const json& type) const {
    if (c.wants_json() && !quiet_)
      c.print_json(to_text(type));
    else
      c.print(quiet_ ? printable(*type_) + "\n" : type_page(type, c.out()));
    return exit_completed;
  }

  std::optional<std::string> type_;
  bool quiet_ = false;
};

} // namespace

std::unique_ptr<action> make_types() { return std::make_unique<types>(); }

} // namespace ferry::cli
