#include "cli/each_job.hpp"
#include "cli/format.hpp"
#include "cli/json_text.hpp"
#include "cli/verbs/verbs.hpp"

namespace ferry::cli {
namespace {

class suspend final : public action {
public:
  void declare(arguments& a) override {
    a.jobs("ID", ids_, "which jobs", false);
    a.flag("-a,--all", all_, "all that run, and start nothing new: the machine is yours until `ferry resume --all`");
  }

  result<int> run(context& c) override {
    if (!all_)
      return post_to_each_job(c, ids_, "suspend");
    if (!ids_.empty())
      return fail(error_code::invalid_argument, "name jobs or --all, not both");
    auto body = c.call({.method = "POST", .path = "/queue/suspend"});
    if (!body)
      return fail(body.error());
    if (c.wants_json())
      c.print_json(*body);
    else
      c.print(count_of(integer_field(json::parse(*body, nullptr, false), "suspended").value_or(0), "job", "jobs") +
              " asked to leave, and nothing new is started until `ferry resume --all`\n");
    return exit_completed;
  }

private:
  std::vector<std::int64_t> ids_;
  bool all_ = false;
};

} // namespace

std::unique_ptr<action> make_suspend() { return std::make_unique<suspend>(); }

} // namespace ferry::cli
