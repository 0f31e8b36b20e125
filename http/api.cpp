#include "http/api.hpp"

#include <spdlog/spdlog.h>

namespace ferry::http {

namespace verbs = boost::beast::http;

struct api::route {
  verbs::verb method;
  std::vector<std::string_view> path; // "*" stands for a job id, or for a name: of a job type, a group, a node, a token; "**" at
                                      // the end for one or more segments
  role needed;
  reply (api::*handler)(const request&);
  bool takes_body = false;

  [[nodiscard]] bool fits(const std::vector<std::string>& asked) const {
    const bool has_tail = path.back() == "**";
    if (has_tail ? asked.size() < path.size() : asked.size() != path.size())
      return false;
    for (std::size_t i = 0; i < path.size(); ++i)
      if (!path[i].starts_with('*') && path[i] != asked[i])
        return false;
    return true;
  }
};

const std::vector<api::route>& api::routes() {
  using enum verbs::verb;
  using enum role;
  static const std::vector<route> all{
      {get, {"session"}, read, &api::read_session},
      {get, {"tokens"}, admin, &api::list_tokens},
      {post, {"tokens"}, admin, &api::add_token, true},
      {delete_, {"tokens", "*"}, admin, &api::remove_token},
      {post, {"uploads"}, submit, &api::begin_upload, true},
      {patch, {"uploads", "*"}, submit, &api::continue_upload, true},
      {get, {"uploads", "*"}, submit, &api::read_upload},
      {delete_, {"uploads", "*"}, submit, &api::remove_upload},
      {get, {"datasets"}, read, &api::list_datasets},
      {post, {"datasets"}, submit, &api::add_dataset, true},
      {get, {"datasets", "*"}, read, &api::show_dataset},
      {delete_, {"datasets", "*"}, submit, &api::remove_dataset},
      {get, {"datasets", "*", "files", "**"}, read, &api::read_dataset_file},
      {delete_, {"datasets", "*", "files", "**"}, submit, &api::remove_dataset_file},
      {get, {"status"}, read, &api::read_status},
      {get, {"openapi.json"}, read, &api::read_openapi},
      {get, {"events"}, read, &api::follow_events},
      {get, {"queue"}, read, &api::read_queue},
      {post, {"jobs"}, submit, &api::submit, true},
      {get, {"jobs"}, read, &api::list_jobs},
      {get, {"jobs", "*"}, read, &api::show_job},
      {patch, {"jobs", "*"}, submit, &api::edit_job, true},
      {post, {"jobs", "*", "cancel"}, submit, &api::cancel_job, true},
      {post, {"jobs", "*", "hold"}, submit, &api::on_job<actors::hold_job>},
      {post, {"jobs", "*", "release"}, submit, &api::on_job<actors::release_job>},
      {post, {"jobs", "*", "move"}, submit, &api::move_job, true},
      {post, {"jobs", "*", "retry"}, submit, &api::retry_job, true},
      {post, {"jobs", "*", "suspend"}, submit, &api::on_job<actors::suspend_job>},
      {post, {"jobs", "*", "resume"}, submit, &api::resume_job, true},
      {get, {"jobs", "*", "log"}, read, &api::read_log},
      {get, {"jobs", "*", "history"}, read, &api::read_history},
      {get, {"jobs", "*", "explanation"}, read, &api::explain_job},
      {get, {"jobs", "*", "artifacts"}, read, &api::list_artifacts},
      {get, {"jobs", "*", "artifacts", "**"}, read, &api::read_artifact},
      {get, {"jobs", "*", "metrics"}, read, &api::read_metrics},
      {get, {"batches"}, read, &api::read_batches},
      {get, {"statistics"}, read, &api::read_statistics},
      {get, {"statistics", "history"}, read, &api::count_jobs},
      {get, {"statistics", "failures"}, read, &api::count_failures},
      {post, {"queue", "pause"}, admin, &api::pause_queue},
      {post, {"queue", "unpause"}, admin, &api::unpause_queue},
      {post, {"queue", "clear"}, admin, &api::clear_queue, true},
      {post, {"queue", "suspend"}, admin, &api::suspend_queue},
      {post, {"queue", "resume"}, admin, &api::resume_queue},
      {get, {"groups"}, read, &api::list_groups},
      {patch, {"groups", "*"}, admin, &api::change_group, true},
      {get, {"nodes"}, read, &api::list_nodes},
      {post, {"nodes", "*", "drain"}, admin, &api::drain_node},
      {post, {"nodes", "*", "resume"}, admin, &api::resume_node},
      {delete_, {"nodes", "*"}, admin, &api::remove_node},
      {get, {"job-types"}, read, &api::list_job_types},
      {post, {"job-types", "*", "hold"}, admin, &api::hold_type, true},
      {post, {"job-types", "*", "release"}, admin, &api::release_type},
  };
  return all;
}

std::vector<route_name> api::route_names() {
  std::vector<route_name> names;
  for (const route& one : routes()) {
    route_name name{.method = std::string(verbs::to_string(one.method)), .path = {}, .role = std::string(to_string(one.needed))};
    for (const std::string_view segment : one.path)
      name.path += "/" + (segment == "*" || segment == "**" ? "{}" : std::string(segment));
    names.push_back(std::move(name));
  }
  return names;
}

std::string api::allowed_methods(const std::vector<std::string>& path) {
  std::string allowed;
  for (const route& one : routes())
    if (one.fits(path))
      allowed += (allowed.empty() ? "" : ", ") +
                 (one.method == verbs::verb::get ? std::string("GET, HEAD") : std::string(verbs::to_string(one.method)));
  return allowed;
}

api::reply api::dispatch(const request& r, const route*& taken) {
  const auto method = r.method == verbs::verb::head ? verbs::verb::get : r.method; // answered alike, but for the body
  for (const route& one : routes()) {
    if (!one.fits(r.path))
      continue;
    taken = &one;
    if (one.method != method)
      continue;
    if (auto may = co_await check_rights(r, one.needed); !may)
      co_return fail(may.error());
    if (auto empty = one.takes_body ? result<void>() : check_no_body(r); !empty)
      co_return fail(empty.error());
    co_return co_await (this->*one.handler)(r);
  }
  if (const auto allowed = allowed_methods(r.path); !allowed.empty())
    co_return method_refusal(verbs::to_string(r.method), allowed);
  co_return fail(error_code::not_found, "there is no such path in the API", "see docs/api.md");
}

boost::asio::awaitable<response> api::answer_safely(const request& r, const route*& taken) {
  try {
    auto outcome = co_await dispatch(r, taken);
    co_return outcome ? std::move(*outcome) : error_response(outcome.error());
  } catch (const std::exception& e) {
    spdlog::error("a request failed: {}", e.what());
    co_return error_response({error_code::internal, "the request failed inside the daemon; its log says more", {}, {}});
  }
}

boost::asio::awaitable<response> api::answer(request r) {
  const route* taken = nullptr;
  auto answer = co_await answer_safely(r, taken);
  std::string name;
  if (taken != nullptr)
    for (const auto segment : taken->path)
      name += "/" + std::string(segment);
  requests_.add({std::string(verbs::to_string(r.method)), taken != nullptr ? name : "none", answer.result_int()});
  co_return answer;
}

} // namespace ferry::http
