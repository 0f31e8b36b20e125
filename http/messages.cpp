#include "http/messages.hpp"

#include "config/limits.hpp"
#include "config/text.hpp"
#include "model/nesting.hpp"

#include <algorithm>
#include <charconv>

namespace ferry::http {
namespace beast_http = boost::beast::http;

response json_response(unsigned status, const json& body) {
  response r;
  r.result(status);
  r.set(beast_http::field::content_type, "application/json");
  r.body() = body.dump(-1, ' ', false, json::error_handler_t::replace);
  r.body() += '\n';
  return r;
}

unsigned status_of(error_code code) {
  switch (code) {
  case error_code::invalid_argument: return 400;
  case error_code::unauthorized: return 401;
  case error_code::forbidden: return 403;
  case error_code::not_found: return 404;
  case error_code::conflict: return 409;
  case error_code::too_large: return 413;
  case error_code::unavailable: return 503;
  case error_code::disk_full: return 507;
  default: return 500;
  }
}

response error_response(const error& e) {
  json problems = json::array();
  for (const problem& p : e.problems)
    problems.push_back({{"where", p.where}, {"what", p.what}, {"hint", p.hint}});
  auto r = json_response(status_of(e.code),
                         {{"error", {{"code", to_string(e.code)}, {"message", e.what}, {"hint", e.hint}, {"problems", problems}}}});
  if (e.code == error_code::unauthorized)
    r.set(beast_http::field::www_authenticate, "Bearer");
  if (e.code == error_code::unavailable)
    r.set(beast_http::field::retry_after, "1");
  return r;
}

response method_refusal(boost::beast::string_view method, const std::string& allowed) {
  auto r = error_response({error_code::invalid_argument,
                           "this path does not take the method " + config::shortened({method.data(), method.size()}),
                           "it takes " + allowed,
                           {}});
  r.result(beast_http::status::method_not_allowed);
  r.set(beast_http::field::allow, allowed);
  return r;
}

namespace {

error wrong_type(const std::string& where, const char* key, const char* wanted, const json& value) {
  return {error_code::invalid_argument, where + key + " must be " + wanted + ", is " + config::shown(value), {}, {}};
}

} // namespace

result<json> parse_object(std::string_view body) {
  if (body.empty())
    return json::object();
  if (const auto depth = nesting_of(body); depth > limits::json_depth_max)
    return fail(error_code::invalid_argument, "the body nests " + std::to_string(depth) + " levels deep; at most " +
                                                  std::to_string(limits::json_depth_max) + " are allowed");
  try {
    auto document = json::parse(body);
    if (!document.is_object())
      return fail(error_code::invalid_argument, "the body must be a JSON object, is " + config::shown(document));
    return document;
  } catch (const json::exception& e) {
    return fail(error_code::invalid_argument, "the body is not valid JSON: " + config::shortened(e.what(), 200));
  }
}

result<void> check_keys(const json& object, std::initializer_list<std::string_view> known, const std::string& where) {
  error faults{error_code::invalid_argument, "the request holds fields that are not known", {}, {}};
  for (const auto& [key, value] : object.items())
    if (std::find(known.begin(), known.end(), key) == known.end())
      faults.problems.push_back({where + "/" + config::shortened(key), "is not a known field",
                                 config::did_you_mean(key, std::vector<std::string>(known.begin(), known.end()))});
  if (!faults.problems.empty())
    return fail(std::move(faults));
  return {};
}

result<void> check_no_body(const request& r) {
  const std::string_view blank = " \t\r\n", body = r.body;
  const auto begin = std::min(body.find_first_not_of(blank), body.size());
  const auto text = body.substr(begin, body.find_last_not_of(blank) + 1 - begin);
  if (text.empty() || text == "{}")
    return {};
  return fail(error_code::invalid_argument, "this request takes no body, and has one of " + std::to_string(body.size()) + " bytes");
}

result<void> check_query(const request& r, std::initializer_list<std::string_view> known) {
  for (const auto& [key, value] : r.query)
    if (std::find(known.begin(), known.end(), key) == known.end())
      return fail(error_code::invalid_argument, "'" + config::shortened(key) + "' is not a known query parameter",
                  config::did_you_mean(key, std::vector<std::string>(known.begin(), known.end())));
  return {};
}

result<std::optional<std::string>> string_member(const json& object, const char* key, const std::string& where) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null())
    return std::nullopt;
  if (!found->is_string())
    return fail(wrong_type(where, key, "a string", *found));
  return found->get<std::string>();
}

result<std::optional<std::int64_t>> integer_member(const json& object, const char* key, const std::string& where) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null())
    return std::nullopt;
  if (!found->is_number_integer() || (found->is_number_unsigned() && found->get<std::uint64_t>() > INT64_MAX))
    return fail(wrong_type(where, key, "an integer", *found));
  return found->get<std::int64_t>();
}

result<std::optional<int>> priority_member(const json& object, const std::string& where) {
  const auto value = integer_member(object, "priority", where);
  if (!value)
    return fail(value.error());
  return *value ? std::optional(static_cast<int>(std::clamp<std::int64_t>(**value, INT32_MIN, INT32_MAX))) : std::nullopt;
}

result<std::vector<job_id>> job_ids_member(const json& object, const char* key, const std::string& where) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null())
    return std::vector<job_id>{};
  const auto is_id = [](const json& one) {
    return one.is_number_unsigned() && one.get<std::uint64_t>() >= 1 && one.get<std::uint64_t>() <= INT64_MAX;
  };
  if (!found->is_array())
    return fail(wrong_type(where, key, "a list of job ids", *found));
  std::vector<job_id> ids;
  for (std::size_t i = 0; i < found->size(); ++i) {
    if (!is_id((*found)[i]))
      return fail(wrong_type(where + key + "/", std::to_string(i).c_str(), "a job id", (*found)[i]));
    ids.push_back(job_id{(*found)[i].get<std::int64_t>()});
  }
  return ids;
}

result<std::vector<std::string>> names_member(const json& object, const char* key, const std::string& where) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null())
    return std::vector<std::string>{};
  if (!found->is_array())
    return fail(wrong_type(where, key, "a list of names", *found));
  std::vector<std::string> names;
  for (std::size_t i = 0; i < found->size(); ++i) {
    if (!(*found)[i].is_string())
      return fail(wrong_type(where + key + "/", std::to_string(i).c_str(), "a name", (*found)[i]));
    names.push_back((*found)[i].get<std::string>());
  }
  return names;
}

result<std::optional<bool>> boolean_member(const json& object, const char* key, const std::string& where) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null())
    return std::nullopt;
  if (!found->is_boolean())
    return fail(wrong_type(where, key, "true or false", *found));
  return found->get<bool>();
}

result<std::int64_t> query_number(const request& r, const std::string& key, std::int64_t otherwise, std::int64_t least,
                                  std::int64_t most) {
  const auto found = r.query.find(key);
  if (found == r.query.end())
    return otherwise;
  std::int64_t value = 0;
  const char* end = found->second.data() + found->second.size();
  const auto [stop, failed] = std::from_chars(found->second.data(), end, value);
  if (failed != std::errc{} || stop != end || value < least || value > most)
    return fail(error_code::invalid_argument, key + " must be an integer from " + std::to_string(least) + " to " +
                                                  std::to_string(most) + ", is '" + config::shortened(found->second) + "'");
  return value;
}

result<bool> query_boolean(const request& r, const std::string& key, bool otherwise) {
  const auto found = r.query.find(key);
  if (found == r.query.end())
    return otherwise;
  if (found->second != "true" && found->second != "false")
    return fail(error_code::invalid_argument, key + " must be true or false, is '" + config::shortened(found->second) + "'");
  return found->second == "true";
}

result<job_id> job_id_from(const std::string& segment) {
  job_id id;
  const char* end = segment.data() + segment.size();
  const auto [stop, failed] = std::from_chars(segment.data(), end, id.value);
  if (failed != std::errc{} || stop != end || id.value < 1)
    return fail(error_code::invalid_argument, "a job id is a positive number, not '" + config::shortened(segment) + "'");
  return id;
}

result<std::vector<job_state>> states_from(const std::vector<std::string>& names) {
  std::vector<job_state> states;
  for (const auto& name : names) {
    const auto state = job_state_from(name);
    if (!state)
      return fail(error_code::invalid_argument,
                  "status must be queued, running, completed, failed or cancelled, is '" + config::shortened(name) + "'");
    states.push_back(*state);
  }
  return states;
}

} // namespace ferry::http
