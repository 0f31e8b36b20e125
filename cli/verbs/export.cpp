#include "cli/json_text.hpp"
#include "cli/simulate/export_table.hpp"
#include "cli/verbs/verbs.hpp"
#include "config/limits.hpp"

#include <algorithm>

namespace ferry::cli {
namespace {

class export_jobs final : public action {
public:
  void declare(arguments& a) override {
    a.text("-t,--type", type_, "TYPE", "of this job type only", value_kind::job_type);
    a.integer("-n,--limit", limit_, "N", "how many of the newest; default 10000", 1, 1'000'000);
  }

  result<int> run(context& c) override {
    std::vector<json> jobs;
    std::optional<std::int64_t> before;
    const auto limit = static_cast<std::size_t>(limit_.value_or(10'000));
    do {
      auto page = c.ask(request_for(before));
      if (!page)
        return fail(page.error());
      for (const json& row : array_field(*page, "jobs")) {
        if (jobs.size() == limit)
          break;
        auto job = c.ask({.method = "GET", .path = "/jobs/" + std::to_string(integer_field(row, "id").value_or(0))});
        if (!job)
          return fail(job.error());
        jobs.push_back(std::move(*job));
      }
      before = integer_field(*page, "next_before");
    } while (before && jobs.size() < limit);
    c.print(export_table(jobs));
    return exit_completed;
  }

private:
  [[nodiscard]] request request_for(std::optional<std::int64_t> before) const {
    std::string path = "/jobs?status=completed&cleared=true&limit=" + std::to_string(limits::page_rows_max);
    if (type_)
      path += "&type=" + query_escape(*type_);
    if (before)
      path += "&before=" + std::to_string(*before);
    return {.method = "GET", .path = path};
  }

  std::optional<std::string> type_;
  std::optional<std::int64_t> limit_;
};

} // namespace

std::unique_ptr<action> make_export() { return std::make_unique<export_jobs>(); }

} // namespace ferry::cli
