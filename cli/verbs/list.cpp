#include "cli/job_views.hpp"
#include "cli/json_text.hpp"
#include "cli/verbs/verbs.hpp"
#include "config/limits.hpp"

#include <algorithm>

namespace ferry::cli {
namespace {

class list final : public action {
public:
  void declare(arguments& a) override {
    a.choice("-s,--status", status_, "STATUS", {"queued", "running", "completed", "failed", "cancelled"}, true,
             "of these states only (several with commas)");
    a.text("-t,--type", type_, "TYPE", "of this job type only", value_kind::job_type);
    a.text("--name", name_, "TEXT", "with this in their name only");
    a.integer("-n,--limit", limit_, "N", "how many jobs; default 50", 1, 100'000'000);
    a.integer("--before", before_, "ID", "older than this job only", 1, INT64_MAX);
    a.flag("-a,--all", all_, "also those that were cleared");
    a.flag("-q,--quiet", quiet_, "print ids alone, one a line");
  }

  result<int> run(context& c) override {
    const std::int64_t limit = limit_.value_or(50);
    auto answer = pages(c, limit);
    if (!answer)
      return fail(answer.error());
    const json& jobs = array_field(*answer, "jobs");
    if (quiet_) {
      for (const json& job : jobs)
        c.print(std::to_string(integer_field(job, "id").value_or(0)) + "\n");
    } else if (c.wants_json()) {
      c.print_json(to_text(*answer));
    } else {
      c.print(list_page(jobs, c.out(), wall_clock_now()));
      if (const auto before = integer_field(*answer, "next_before"))
        c.print("\nolder ones: `ferry list --before " + std::to_string(*before) + "`\n");
    }
    return exit_completed;
  }

private:
  static constexpr auto page = static_cast<std::int64_t>(limits::page_rows_max);

  request request_for(std::optional<std::int64_t> before, std::int64_t limit) const {
    std::string path = "/jobs?limit=" + std::to_string(limit);
    if (status_)
      path += "&status=" + query_escape(*status_);
    if (type_)
      path += "&type=" + query_escape(*type_);
    if (name_)
      path += "&name=" + query_escape(*name_);
    if (before)
      path += "&before=" + std::to_string(*before);
    if (all_)
      path += "&cleared=true";
    return {.method = "GET", .path = path};
  }

  // As many requests as it takes: a page may hold fewer jobs than asked for, also none, and still not be the last.
  result<json> pages(context& c, std::int64_t limit) const {
    auto all = c.ask(request_for(before_, std::min(limit, page)));
    while (all) {
      const auto before = integer_field(*all, "next_before");
      const auto left = limit - static_cast<std::int64_t>(array_field(*all, "jobs").size());
      if (!before || left <= 0)
        break;
      auto next = c.ask(request_for(before, std::min(left, page)));
      if (!next)
        return next;
      for (json& job : (*next)["jobs"])
        (*all)["jobs"].push_back(std::move(job));
      (*all)["next_before"] = (*next)["next_before"];
    }
    return all;
  }

  std::optional<std::string> status_, type_, name_;
  std::optional<std::int64_t> limit_, before_;
  bool all_ = false, quiet_ = false;
};

} // namespace

std::unique_ptr<action> make_list() { return std::make_unique<list>(); }

} // namespace ferry::cli
