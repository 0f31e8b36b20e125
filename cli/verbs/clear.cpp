#include "cli/format.hpp"
#include "cli/json_text.hpp"
#include "cli/moment.hpp"
#include "cli/verbs/verbs.hpp"

namespace ferry::cli {
namespace {

class clear final : public action {
public:
  void declare(arguments& a) override {
    a.choice("-s,--status", status_, "STATUS", {"completed", "failed", "cancelled"}, true,
             "of these states only (several with commas)");
    a.list("-t,--type", types_, "TYPE", "of this job type only; may be given more than once", value_kind::job_type);
    a.text("--older-than", older_than_, "DURATION", "that ended longer ago than 30m, 12h, 7d");
    a.jobs("ID", ids_, "only these", false);
  }

  result<int> run(context& c) override {
    json what = json::object();
    if (older_than_) {
      const auto age = duration_from("--older-than", *older_than_);
      if (!age)
        return fail(age.error());
      what["older_than_seconds"] = std::chrono::ceil<std::chrono::seconds>(*age).count();
    }
    if (!types_.empty())
      what["types"] = types_;
    if (!ids_.empty())
      what["ids"] = ids_;
    if (status_)
      for (std::size_t at = 0; at <= status_->size();) {
        const auto end = std::min(status_->find(',', at), status_->size());
        what["status"].push_back(status_->substr(at, end - at));
        at = end + 1;
      }
    auto body = c.call({.method = "POST", .path = "/queue/clear", .body = to_text(what)});
    if (!body)
      return fail(body.error());
    if (c.wants_json())
      c.print_json(*body);
    else
      c.print(count_of(integer_field(json::parse(*body, nullptr, false), "cleared").value_or(0), "job", "jobs") +
              " cleared; they can still be shown by id\n");
    return exit_completed;
  }

private:
  std::optional<std::string> status_, older_than_;
  std::vector<std::string> types_;
  std::vector<std::int64_t> ids_;
};

} // namespace

std::unique_ptr<action> make_clear() { return std::make_unique<clear>(); }

} // namespace ferry::cli
