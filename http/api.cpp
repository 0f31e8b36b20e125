#include "http/api.hpp"

#include <spdlog/spdlog.h>

namespace ferry::http {

namespace verbs = boost::beast::http;

struct api::route {
  verbs::verb method;
  std::vector<std::string_view>
      path; // "*" stands for a job id, or for a name: of a job type, a group, a token; "**" at the end for one or more segments
  role needed;
  reply (api::*handler)(const request&);
};

const std::vector<api::route>& api::routes() {
  using enum verbs::verb;
  using enum role;
  static const std::vector<route> all{
      {get, {"session"}, read, &api::read_session},
      {get, {"tokens"}, admin, &api::list_tokens},
      {post, {"tokens"}, admin, &api::add_token},
      {delete_, {"tokens", "*"}, admin, &api::remove_token},
      {post, {"uploads"}, submit, &api::begin_upload},
      {patch, {"uploads", "*"}, submit, &api::continue_upload},
      {get, {"uploads", "*"}, submit, &api::read_upload},
      {delete_, {"uploads", "*"}, submit, &api::remove_upload},
      {get, {"datasets"}, read, &api::list_datasets},
      {post, {"datasets"}, submit, &api::add_dataset},
      {get, {"datasets", "*"}, read, &api::show_dataset},
      {delete_, {"datasets", "*"}, submit, &api::remove_dataset},
      {get, {"datasets", "*", "files", "**"}, read, &api::read_dataset_file},
      {delete_, {"datasets", "*", "files", "**"}, submit, &api::remove_dataset_file},
      {get, {"status"}, read, &api::read_status},
      {get, {"openapi.json"}, read, &api::read_openapi},
      {get, {"events"}, read, &api::follow_events},
      {get, {"queue"}, read, &api::read_queue},
      {post, {"jobs"}, submit, &api::submit},
      {get, {"jobs"}, read, &api::list_jobs},
      {get, {"jobs", "*"}, read, &api::show_job},
      {patch, {"jobs", "*"}, submit, &api::edit_job},
      {post, {"jobs", "*", "cancel"}, submit, &api::cancel_job},
      {post, {"jobs", "*", "hold"}, submit, &api::on_job<actors::hold_job>},
      {post, {"jobs", "*", "release"}, submit, &api::on_job<actors::release_job>},
      {post, {"jobs", "*", "move"}, submit, &api::move_job},
      {post, {"jobs", "*", "retry"}, submit, &api::retry_job},
      {post, {"jobs", "*", "suspend"}, submit, &api::on_job<actors::suspend_job>},
      {post, {"jobs", "*", "resume"}, submit, &api::resume_job},
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
      {post, {"queue", "clear"}, admin, &api::clear_queue},
      {post, {"queue", "suspend"}, admin, &api::suspend_queue},
      {post, {"queue", "resume"}, admin, &api::resume_queue},
      {get, {"groups"}, read, &api::list_groups},
      {patch, {"groups", "*"}, admin, &api::change_group},
      {get, {"job-types"}, read, &api::list_job_types},
      {post, {"job-types", "*", "hold"}, admin, &api::hold_type},
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

api::reply api::dispatch(const request& r, const route*& taken) {
  const auto fits = [&](const route& one) {
    const bool has_tail = one.path.back() == "**";
    if (has_tail ? r.path.size() < one.path.size() : r.path.size() != one.path.size())
      return false;
    for (std::size_t i = 0; i < one.path.size(); ++i)
      if (!one.path[i].starts_with('*') && one.path[i] != r.path[i])
        return false;
    return true;
  };
  const auto method = r.method == verbs::verb::head ? verbs::verb::get : r.method; // answered alike, but for the body
  bool path_known = false;
  for (const route& one : routes()) {
    if (!fits(one))
      continue;
    path_known = true;
    taken = &one;
    if (one.method != method)
      continue;
    if (auto may = co_await check_rights(r, one.needed); !may)
      co_return fail(may.error());
    co_return co_await (this->*one.handler)(r);
  }
  if (path_known)
    co_return fail(error_code::invalid_argument, "this path does not take the method " + std::string(verbs::to_string(r.method)));
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
