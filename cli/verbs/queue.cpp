#include "cli/format.hpp"
#include "cli/job_views.hpp"
#include "cli/json_text.hpp"
#include "cli/verbs/verbs.hpp"
#include "config/limits.hpp"

#include <algorithm>

namespace ferry::cli {
namespace {

class queue final : public action {
public:
  void declare(arguments& a) override {
    a.integer("-n,--limit", limit_, "N", "how many jobs; default 50", 1, static_cast<std::int64_t>(limits::queued_jobs_max));
    a.integer("--offset", offset_, "N", "how many to pass over", 0, static_cast<std::int64_t>(limits::queued_jobs_max));
    a.flag("-q,--quiet", quiet_, "print ids alone, one a line");
  }

  result<int> run(context& c) override {
    const std::int64_t limit = limit_.value_or(50);
    if (c.wants_json() && !quiet_ && limit <= page) {
      auto body = c.call(request_for(offset_.value_or(0), limit));
      if (!body)
        return fail(body.error());
      c.print_json(*body);
      return exit_completed;
    }
    auto answer = pages(c, limit);
    if (!answer)
      return fail(answer.error());
    if (quiet_) {
      for (const json& job : array_field(*answer, "jobs"))
        c.print(std::to_string(integer_field(job, "id").value_or(0)) + "\n");
    } else if (c.wants_json()) {
      c.print_json(to_text(*answer));
    } else {
      c.print(queue_page(*answer, c.out(), wall_clock_now()) + more_line(*answer));
    }
    return exit_completed;
  }

private:
  static constexpr auto page = static_cast<std::int64_t>(limits::page_rows_max);

  static request request_for(std::int64_t offset, std::int64_t limit) {
    return {.method = "GET", .path = "/queue?offset=" + std::to_string(offset) + "&limit=" + std::to_string(limit)};
  }

  // As many requests as it takes; the queue may move in between.
  result<json> pages(context& c, std::int64_t limit) const {
    const std::int64_t offset = offset_.value_or(0);
    auto all = c.ask(request_for(offset, std::min(limit, page)));
    for (std::int64_t got = page; all && got < limit; got += page) {
      if (static_cast<std::int64_t>(array_field(*all, "jobs").size()) < got)
        break;
      auto next = c.ask(request_for(offset + got, std::min(limit - got, page)));
      if (!next)
        return next;
      for (json& job : (*next)["jobs"])
        (*all)["jobs"].push_back(std::move(job));
    }
    return all;
  }

  std::string more_line(const json& answer) const {
    const json& counts = object_field(answer, "counts");
    std::int64_t total = 0;
    for (const char* key : {"running", "queued", "held"})
      total += integer_field(counts, key).value_or(0);
    const std::int64_t seen = offset_.value_or(0) + static_cast<std::int64_t>(array_field(answer, "jobs").size());
    if (seen >= total || array_field(answer, "jobs").empty())
      return {};
    return "\n" + with_commas(total - seen) + " more: `ferry queue --offset " + std::to_string(seen) + "`\n";
  }

  std::optional<std::int64_t> limit_, offset_;
  bool quiet_ = false;
};

} // namespace

std::unique_ptr<action> make_queue() { return std::make_unique<queue>(); }

} // namespace ferry::cli
