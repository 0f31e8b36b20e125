// Who asks, and the tokens of those who may.
#include "config/text.hpp"
#include "http/api.hpp"
#include "model/version.hpp"

namespace ferry::http {

namespace {

json token_json(const token_store::record& one) {
  return {{"name", one.name}, {"role", to_string(one.level)}, {"created", to_rfc3339(one.created)}};
}

} // namespace

caller api::local_caller(std::optional<unsigned> peer) { return {user_name(peer), role::admin}; }

boost::asio::awaitable<result<void>> api::check_rights(const request& r, role needed) {
  if (r.who.level < needed)
    co_return fail(error_code::forbidden,
                   "this needs the role " + std::string(to_string(needed)) + "; the token of " + r.who.user + " has the role " +
                       std::string(to_string(r.who.level)),
                   "ask whoever runs the daemon for another token");
  const bool is_of_a_job = r.path.size() >= 2 && r.path[0] == "jobs" && needed == role::submit;
  if (r.who.level != role::submit || !is_of_a_job)
    co_return result<void>();
  const auto id = job_id_from(r.path[1]);
  if (!id)
    co_return fail(id.error());
  const auto view = co_await view_of(*id);
  if (!view)
    co_return fail(view.error());
  if (view->record.user != r.who.user)
    co_return fail(error_code::forbidden, "job " + to_string(*id) + " is not yours",
                   "with the role submit you may change your own jobs");
  co_return result<void>();
}

api::reply api::read_session(const request& r) {
  if (auto known = check_query(r, {}); !known)
    co_return fail(known.error());
  co_return json_response(200, {{"user", r.who.user}, {"role", to_string(r.who.level)}, {"version", version}});
}

api::reply api::list_tokens(const request& r) {
  if (auto known = check_query(r, {}); !known)
    co_return fail(known.error());
  json list = json::array();
  for (const auto& one : tokens_->named())
    list.push_back(token_json(one));
  co_return json_response(200, {{"tokens", std::move(list)}});
}

api::reply api::add_token(const request& r) {
  const auto body = parse_object(r.body);
  if (!body)
    co_return fail(body.error());
  if (auto known = check_keys(*body, {"name", "role"}); !known)
    co_return fail(known.error());
  const auto name = string_member(*body, "name");
  const auto level = string_member(*body, "role");
  if (!name || !level)
    co_return fail(name ? level.error() : name.error());
  if (!*name || !*level)
    co_return fail(error_code::invalid_argument, *name ? "role is missing" : "name is missing");
  const auto known_level = role_from(**level);
  if (!known_level)
    co_return fail(error_code::invalid_argument, "role must be read, submit or admin, is '" + config::shortened(**level) + "'");
  const auto token = tokens_->add(**name, *known_level, wall_clock_now());
  if (!token)
    co_return fail(token.error());
  co_return json_response(201, {{"name", **name}, {"role", **level}, {"token", *token}});
}

api::reply api::remove_token(const request& r) {
  const auto removed = tokens_->remove(r.path[1]);
  if (!removed)
    co_return fail(removed.error());
  hub_->send_all_away(); // streams that are open: those who still have a token come back
  co_return json_response(200, {{"name", r.path[1]}, {"removed", true}});
}

} // namespace ferry::http
