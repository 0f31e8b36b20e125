// Requests and responses as the handlers see them, and the checks that every handler makes.
#pragma once

#include "http/body_source.hpp"
#include "http/token_store.hpp"
#include "model/error.hpp"
#include "model/job.hpp"

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ferry::http {

class incoming_body;

// `rest`: its body is made piece by piece; the string is not looked at then.
struct response : boost::beast::http::response<boost::beast::http::string_body> {
  std::shared_ptr<body_source> rest = {};
};

struct request {
  boost::beast::http::verb method{};
  std::vector<std::string> path;            // decoded segments behind /api/v1
  std::map<std::string, std::string> query; // decoded
  std::string body;
  std::string idempotency_key, last_event_id;
  std::string range = {}, if_range = {}, if_none_match = {}; // of a file
  bool keep_alive = true;
  caller who = {};
  // Of an upload: where its body begins, and the body, which is not in `body` but taken piece by piece.
  std::string upload_offset = {};
  incoming_body* incoming = nullptr;
};

[[nodiscard]] response json_response(unsigned status, const json& body);
[[nodiscard]] response error_response(const error& e);
[[nodiscard]] unsigned status_of(error_code code);
// 405: the path takes `allowed` alone ("GET, HEAD").
[[nodiscard]] response method_refusal(boost::beast::string_view method, const std::string& allowed);

// The body as a JSON object; an empty body is an empty object. Errors: invalid_argument (not JSON, not an object, nested too
// deeply).
[[nodiscard]] result<json> parse_object(std::string_view body);
// Errors: invalid_argument naming each key that is not among `known`, with the nearest known one.
[[nodiscard]] result<void> check_keys(const json& object, std::initializer_list<std::string_view> known,
                                      const std::string& where = {});
// For routes that take none; "{}", which clients may send with every request that changes something, says nothing either.
[[nodiscard]] result<void> check_no_body(const request& r);
[[nodiscard]] result<void> check_query(const request& r, std::initializer_list<std::string_view> known);

// Members of an object, absent or of the right type. Errors: invalid_argument naming key, type wanted and value.
[[nodiscard]] result<std::optional<std::string>> string_member(const json& object, const char* key, const std::string& where = {});
[[nodiscard]] result<std::optional<std::int64_t>> integer_member(const json& object, const char* key,
                                                                 const std::string& where = {});
// Within int's range: what lies outside of it is out of bounds as well.
[[nodiscard]] result<std::optional<int>> priority_member(const json& object, const std::string& where = {});
// A list of job ids; an empty one when absent.
[[nodiscard]] result<std::vector<job_id>> job_ids_member(const json& object, const char* key, const std::string& where = {});
// A list of texts; not there: empty.
[[nodiscard]] result<std::vector<std::string>> names_member(const json& object, const char* key, const std::string& where = {});
[[nodiscard]] result<std::optional<bool>> boolean_member(const json& object, const char* key, const std::string& where = {});

// A number of the query within bounds, or `otherwise` when absent. Errors: invalid_argument naming key, value and bounds.
[[nodiscard]] result<std::int64_t> query_number(const request& r, const std::string& key, std::int64_t otherwise,
                                                std::int64_t least, std::int64_t most);
// "true" or "false" in the query, or `otherwise` when absent. Errors: invalid_argument naming key and value.
[[nodiscard]] result<bool> query_boolean(const request& r, const std::string& key, bool otherwise);
[[nodiscard]] result<job_id> job_id_from(const std::string& segment);
[[nodiscard]] result<std::vector<job_state>> states_from(const std::vector<std::string>& names);

} // namespace ferry::http
