#include "cli/each_job.hpp"

#include "cli/job_views.hpp"
#include "cli/json_text.hpp"

namespace ferry::cli {

result<int> for_each_of(context& c, std::size_t count, const std::function<result<std::string>(std::size_t)>& request,
                        const std::function<std::string(const json&)>& page) {
  int status = 0;
  std::string documents;
  for (std::size_t i = 0; i < count; ++i) {
    auto body = request(i);
    if (!body && count == 1)
      return fail(body.error());
    if (!body) {
      status = status == 0 ? exit_status_of(body.error().code) : status;
      c.report(body.error());
      if (body.error().code == error_code::unavailable)
        break;
    } else if (c.wants_json()) {
      documents += (documents.empty() ? "" : ",") + *body;
    } else {
      auto answer = json_from(*body, "the daemon's answer");
      if (!answer)
        return fail(error_code::internal, answer.error().what);
      c.print(page(*answer));
      if (auto written = c.flush(); !written)
        return fail(written.error());
    }
  }
  if (c.wants_json())
    c.print_json(count == 1 ? documents : "[" + documents + "]");
  return status;
}

result<int> for_each_job(context& c, const std::vector<std::int64_t>& ids, const each_job& what) {
  return for_each_of(
      c, ids.size(), [&](std::size_t i) { return what.request(ids[i]); }, what.page);
}

result<int> post_to_each_job(context& c, const std::vector<std::int64_t>& ids, const std::string& action, const std::string& body) {
  if (ids.empty())
    return fail(error_code::invalid_argument, "which jobs? name at least one", "`ferry " + action + " --help` shows how");
  return for_each_job(c, ids,
                      {.request =
                           [&](std::int64_t id) {
                             return c.call({.method = "POST", .path = "/jobs/" + std::to_string(id) + "/" + action, .body = body});
                           },
                       .page = [](const json& job) { return job_line(job, wall_clock_now()) + "\n"; }});
}

} // namespace ferry::cli
