// Submitting.
#include "config/limits.hpp"
#include "config/locations.hpp"
#include "config/text.hpp"
#include "http/api.hpp"
#include "http/request_bodies.hpp"
#include "http/views.hpp"

#include <algorithm>
#include <initializer_list>
#include <unistd.h>

namespace ferry::http {

using actors::actor_handles;

const std::string& api::user_name(std::optional<unsigned> peer) {
  const unsigned id = peer.value_or(::getuid());
  const auto known = user_names_.find(id);
  return known != user_names_.end() ? known->second : user_names_.emplace(id, config::login_name(id)).first->second;
}

api::reply api::try_submit(const job_request& job) {
  actors::try_submit message{.job = job}; // not a temporary of the await: GCC 12 destroys that twice
  const auto seen = co_await ask<result<actors::submit_outlook>>(&actor_handles::queue, message);
  if (!seen)
    co_return fail(seen.error());
  json answer{{"dry_run", true},
              {"position", nullptr},
              {"expected_start", nullptr},
              {"expected_start_p90", nullptr},
              {"expected_seconds", nullptr}};
  if (seen->position)
    answer["position"] = *seen->position;
  if (seen->expected_start) {
    answer["expected_start"] = to_rfc3339(seen->expected_start->start);
    answer["expected_start_p90"] = to_rfc3339(seen->expected_start->late);
  }
  if (seen->takes)
    answer["expected_seconds"] = static_cast<double>(seen->takes->count()) / 1000.0;
  co_return json_response(200, answer);
}

api::reply api::submit(const request& r) {
  auto body = parse_object(r.body);
  if (!body)
    co_return fail(body.error());
  const bool many = body->contains("jobs");
  bool dry_run = false;
  actors::submit_jobs message;
  if (many) {
    if (auto known = check_keys(*body, {"jobs", "base_dir"}); !known)
      co_return fail(known.error());
    const auto base_dir = string_member(*body, "base_dir");
    if (!base_dir)
      co_return fail(base_dir.error());
    auto& list = (*body)["jobs"];
    if (!list.is_array())
      co_return fail(error_code::invalid_argument, "jobs must be an array");
    for (std::size_t i = 0; i < list.size(); ++i) {
      auto one = job_request_from(list[i], "/jobs/" + std::to_string(i));
      if (!one)
        co_return fail(one.error());
      if (one->base_dir.empty())
        one->base_dir = base_dir->value_or("");
      message.jobs.push_back(std::move(*one));
    }
  } else {
    const auto asks = boolean_member(*body, "dry_run", "");
    if (!asks)
      co_return fail(asks.error());
    dry_run = asks->value_or(false);
    body->erase("dry_run");
    auto one = job_request_from(*body, "");
    if (!one)
      co_return fail(one.error());
    message.jobs.push_back(std::move(*one));
  }
  for (job_request& one : message.jobs) {
    if (one.user && *one.user != r.who.user && r.who.level < role::admin)
      co_return fail(error_code::forbidden, "jobs of '" + config::shortened(*one.user) + "' are not yours to submit",
                     "leave out user: they are " + r.who.user + "'s");
    if (!one.user)
      one.user = r.who.user;
  }
  if (dry_run)
    co_return co_await try_submit(message.jobs.front());
  if (r.idempotency_key.size() > limits::idempotency_key_bytes_max)
    co_return fail(error_code::too_large, "Idempotency-Key takes " + std::to_string(r.idempotency_key.size()) + " bytes; at most " +
                                              std::to_string(limits::idempotency_key_bytes_max) + " are allowed");
  if (!r.idempotency_key.empty())
    message.from = {r.idempotency_key, sha256_of(r.body)};

  const auto answer = co_await ask<result<actors::jobs_submitted>>(&actor_handles::queue, message);
  if (!answer)
    co_return fail(answer.error());
  const bool all_existed =
      std::all_of(answer->jobs.begin(), answer->jobs.end(), [](const actors::submitted_job& job) { return job.existing; });
  const unsigned status = answer->repeated || all_existed ? 200 : 201;
  if (!many)
    co_return json_response(status, submitted_json(answer->jobs.at(0)));
  json list = json::array();
  for (const auto& job : answer->jobs)
    list.push_back(submitted_json(job));
  co_return json_response(status, {{"jobs", std::move(list)}});
}

} // namespace ferry::http
