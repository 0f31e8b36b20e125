#include "http/api.hpp"

#include <spdlog/spdlog.h>

namespace ferry::http {

namespace verbs = boost::beast::http;

struct api::route {
  verbs::verb method;
  std::vector<std::string_view> path; // "*" stands for a job id, or for the name of a job type or a group
  reply (api::*handler)(const request&);
};

const std::vector<api::route>& api::routes() {
  using enum verbs::verb;
  static const std::vector<route> all{
      {get, {"status"}, &api::read_status},
      {get, {"queue"}, &api::read_queue},
      {post, {"jobs"}, &api::submit},
      {get, {"jobs"}, &api::list_jobs},
      {get, {"jobs", "*"}, &api::show_job},
      {patch, {"jobs", "*"}, &api::edit_job},
      {post, {"jobs", "*", "cancel"}, &api::on_job<actors::cancel_job>},
      {post, {"jobs", "*", "hold"}, &api::on_job<actors::hold_job>},
      {post, {"jobs", "*", "release"}, &api::on_job<actors::release_job>},
      {post, {"jobs", "*", "move"}, &api::move_job},
      {post, {"jobs", "*", "retry"}, &api::retry_job},
      {post, {"jobs", "*", "suspend"}, &api::on_job<actors::suspend_job>},
      {post, {"jobs", "*", "resume"}, &api::resume_job},
      {get, {"jobs", "*", "log"}, &api::read_log},
      {get, {"jobs", "*", "history"}, &api::read_history},
      {get, {"jobs", "*", "explanation"}, &api::explain_job},
      {get, {"batches"}, &api::read_batches},
      {get, {"statistics"}, &api::read_statistics},
      {post, {"queue", "pause"}, &api::pause_queue},
      {post, {"queue", "unpause"}, &api::unpause_queue},
      {post, {"queue", "clear"}, &api::clear_queue},
      {post, {"queue", "suspend"}, &api::suspend_queue},
      {post, {"queue", "resume"}, &api::resume_queue},
      {get, {"groups"}, &api::list_groups},
      {patch, {"groups", "*"}, &api::change_group},
      {get, {"job-types"}, &api::list_job_types},
      {post, {"job-types", "*", "hold"}, &api::hold_type},
      {post, {"job-types", "*", "release"}, &api::release_type},
  };
  return all;
}

api::reply api::dispatch(const request& r) {
  const auto fits = [&](const route& one) {
    if (one.path.size() != r.path.size())
      return false;
    for (std::size_t i = 0; i < one.path.size(); ++i)
      if (one.path[i] != "*" && one.path[i] != r.path[i])
        return false;
    return true;
  };
  bool path_known = false;
  for (const route& one : routes()) {
    if (!fits(one))
      continue;
    path_known = true;
    if (one.method == r.method)
      co_return co_await (this->*one.handler)(r);
  }
  if (path_known)
    co_return fail(error_code::invalid_argument, "this path does not take the method " + std::string(verbs::to_string(r.method)));
  co_return fail(error_code::not_found, "there is no such path in the API", "see docs/api.md");
}

boost::asio::awaitable<response> api::answer(request r) {
  try {
    auto outcome = co_await dispatch(r);
    co_return outcome ? std::move(*outcome) : error_response(outcome.error());
  } catch (const std::exception& e) {
    spdlog::error("a request failed: {}", e.what());
    co_return error_response({error_code::internal, "the request failed inside the daemon; its log says more", {}, {}});
  }
}

} // namespace ferry::http
