// Submitting.
#include "config/limits.hpp"
#include "config/locations.hpp"
#include "config/text.hpp"
#include "http/api.hpp"
#include "http/views.hpp"

#include <algorithm>
#include <initializer_list>
#include <unistd.h>

namespace ferry::http {

using actors::actor_handles;

namespace {

result<needs_rule> rule_from(const json& object, const std::string& where) {
  const auto name = string_member(object, "on_needs_failure", where);
  if (!name)
    return fail(name.error());
  if (!*name)
    return needs_rule::hold;
  const auto rule = needs_rule_from(**name);
  if (!rule)
    return fail(error_code::invalid_argument,
                where + "on_needs_failure must be hold, cancel or start, is '" + config::shortened(**name) + "'");
  return *rule;
}

result<job_request> job_request_from(json& object, const std::string& where) {
  if (!object.is_object())
    return fail(error_code::invalid_argument, (where.empty() ? "a job" : where) + " must be an object");
  if (auto known = check_keys(object,
                              {"type", "params", "priority", "name", "held", "delay_seconds", "base_dir", "needs",
                               "on_needs_failure", "group", "unique_key", "user"},
                              where);
      !known)
    return fail(known.error());
  const auto prefix = where.empty() ? where : where + "/";
  auto type = string_member(object, "type", prefix);
  auto name = string_member(object, "name", prefix);
  const auto priority = priority_member(object, prefix);
  const auto held = boolean_member(object, "held", prefix);
  const auto delay = integer_member(object, "delay_seconds", prefix);
  auto base_dir = string_member(object, "base_dir", prefix);
  auto needs = job_ids_member(object, "needs", prefix);
  const auto rule = rule_from(object, prefix);
  auto group = string_member(object, "group", prefix);
  auto unique_key = string_member(object, "unique_key", prefix);
  auto user = string_member(object, "user", prefix);
  for (const error* e : std::initializer_list<const error*>{
           type ? nullptr : &type.error(), name ? nullptr : &name.error(), priority ? nullptr : &priority.error(),
           held ? nullptr : &held.error(), delay ? nullptr : &delay.error(), base_dir ? nullptr : &base_dir.error(),
           needs ? nullptr : &needs.error(), rule ? nullptr : &rule.error(), group ? nullptr : &group.error(),
           unique_key ? nullptr : &unique_key.error(), user ? nullptr : &user.error()})
    if (e)
      return fail(*e);
  if (!*type)
    return fail(error_code::invalid_argument, prefix + "type is missing", "see `ferry types`");
  job_request request{.type = std::move(**type),
                      .priority = priority->value_or(priority_default),
                      .name = name->value_or(""),
                      .held = held->value_or(false),
                      // What is too large for milliseconds is out of the bound that admission names, too.
                      .delay =
                          std::chrono::seconds(std::clamp<std::int64_t>(delay->value_or(0), -1, limits::delay_seconds_max + 1)),
                      .base_dir = base_dir->value_or(""),
                      .needs = std::move(*needs),
                      .on_needs_failure = *rule,
                      .group = group->value_or(""),
                      .unique_key = unique_key->value_or(""),
                      .user = std::move(*user)};
  if (const auto params = object.find("params"); params != object.end())
    request.params = std::move(*params);
  return request;
}

} // namespace

const std::string& api::user_name(std::optional<unsigned> peer) {
  const unsigned id = peer.value_or(::getuid());
  const auto known = user_names_.find(id);
  return known != user_names_.end() ? known->second : user_names_.emplace(id, config::login_name(id)).first->second;
}

api::reply api::try_submit(const job_request& job) {
  actors::try_submit message{.job = job}; // not a temporary of the await: GCC 12 destroys that twice
  const auto seen = co_await ask<result<actors::submit_outlook>>(&actor_handles::queue, std::move(message));
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

  const auto answer = co_await ask<result<actors::jobs_submitted>>(&actor_handles::queue, std::move(message));
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
