// The OpenAPI document: that it holds together, and that it is of this API.
#include "config/limits.hpp"
#include "http/api.hpp"
#include "http/openapi_document.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <functional>

using namespace ferry;
using namespace ferry::http;
using names = std::set<std::string, std::less<>>;

namespace {

const json& document() {
  static const json read = json::parse(openapi_document());
  return read;
}

struct operation {
  std::string method, path;
  const json& what;
  const json& item; // of its path
  [[nodiscard]] bool is_of_api() const { return !item.contains("servers"); }
  // "GET /jobs/{}/log"
  [[nodiscard]] std::string route() const {
    std::string text = method + " ";
    bool in_name = false;
    for (const char c : path) {
      in_name = in_name && c != '}';
      if (!in_name)
        text += c;
      in_name = in_name || c == '{';
    }
    return text;
  }
};

std::vector<operation> operations() {
  std::vector<operation> all;
  for (const auto& [path, item] : document()["paths"].items())
    for (const std::string method : {"GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS"}) {
      std::string key = method;
      std::transform(key.begin(), key.end(), key.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      if (const auto found = item.find(key); found != item.end())
        all.push_back({method, path, *found, item});
    }
  REQUIRE(all.size() > 30);
  return all;
}

const json& resolved(const json& one) {
  return one.contains("$ref") ? document().at(json::json_pointer(one["$ref"].get<std::string>().substr(1))) : one;
}

const json& schema(const std::string& name) { return document()["components"]["schemas"].at(name); }

void for_each_object(const json& at, const std::function<void(const json&)>& visit) {
  if (at.is_object())
    visit(at);
  if (at.is_structured())
    for (const json& inner : at)
      for_each_object(inner, visit);
}

names difference(const names& a, const names& b) {
  names left;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::inserter(left, left.end()));
  return left;
}

std::vector<json> parameters_of(const operation& one) {
  std::vector<json> all;
  for (const json* list : {&one.item, &one.what})
    for (const json& parameter : list->value("parameters", json::array()))
      all.push_back(resolved(parameter));
  return all;
}

} // namespace

TEST_CASE("the document has the routes of the API, and no others") {
  names described, offered;
  for (const auto& one : operations())
    if (one.is_of_api())
      CHECK(described.insert(one.route()).second);
  for (const auto& one : api::route_names())
    CHECK(offered.insert(one.method + " " + one.path).second);
  REQUIRE(offered.contains("GET /jobs/{}/log"));
  CHECK(difference(offered, described) == names{});
  CHECK(difference(described, offered) == names{});
}

TEST_CASE("outside of the prefix the document has what programs ask for there") {
  names outside;
  for (const auto& one : operations())
    if (!one.is_of_api()) {
      CHECK(one.method == "GET");
      CHECK(one.item["servers"][0]["url"] == "/");
      outside.insert(one.path);
    }
  CHECK(outside == names{"/healthz", "/metrics", "/readyz"});
  CHECK(document()["servers"][0]["url"] == "/api/v1");
}

TEST_CASE("each operation names the role that its route needs") {
  std::map<std::string, std::string> needed;
  for (const auto& one : api::route_names())
    needed[one.method + " " + one.path] = one.role;
  for (const auto& one : operations()) {
    INFO(one.route());
    const auto role = one.what.at("x-ferry-role").get<std::string>();
    CHECK((role == "read" || role == "submit" || role == "admin" || role == "none"));
    CHECK((role == "none") == one.what.contains("security"));
    if (const auto found = needed.find(one.route()); found != needed.end())
      CHECK(role == found->second);
  }
}

TEST_CASE("every reference of the document resolves, and every component is used") {
  names used;
  for_each_object(document(), [&](const json& one) {
    if (!one.contains("$ref"))
      return;
    const auto target = one["$ref"].get<std::string>();
    INFO(target);
    REQUIRE(target.starts_with("#/"));
    CHECK(document().contains(json::json_pointer(target.substr(1))));
    used.insert(target);
  });
  for (const std::string kind : {"schemas", "responses", "parameters"})
    for (const auto& [name, component] : document()["components"].at(kind).items())
      CHECK(used.contains("#/components/" + kind + "/" + name));
}

TEST_CASE("operations have names of their own, a tag that is described, and all the parameters of their path") {
  names ids, tags;
  for (const json& tag : document()["tags"])
    tags.insert(tag["name"].get<std::string>());
  for (const auto& one : operations()) {
    const auto id = one.what.at("operationId").get<std::string>();
    INFO(id);
    CHECK(ids.insert(id).second);
    CHECK(id.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == id.npos);
    CHECK(tags.contains(one.what.at("tags").at(0).get<std::string>()));
    CHECK_FALSE(one.what.at("summary").get<std::string>().empty());
    names in_path, declared;
    for (std::size_t at = one.path.find('{'); at != one.path.npos; at = one.path.find('{', at + 1))
      in_path.insert(one.path.substr(at + 1, one.path.find('}', at) - at - 1));
    for (const json& parameter : parameters_of(one)) {
      CHECK(parameter.contains("description"));
      if (parameter["in"] == "path")
        declared.insert(parameter["name"].get<std::string>());
    }
    CHECK(in_path == declared);
  }
}

TEST_CASE("each operation says what it answers when it fails, in the one form") {
  for (const auto& one : operations()) {
    INFO(one.route());
    const json& answers = one.what.at("responses");
    if (one.what["x-ferry-role"] != "none")
      CHECK((answers.contains("400") && answers.contains("401") && answers.contains("403")));
    CHECK((answers.contains("200") || answers.contains("201")));
    for (const auto& [status, answer] : answers.items())
      if (status[0] >= '4')
        CHECK(resolved(resolved(answer)["content"]["application/json"]["schema"])["properties"]["error"]["$ref"] ==
              "#/components/schemas/ErrorBody");
  }
}

TEST_CASE("requests take no field that is not described, answers may gain some") {
  names requests;
  const std::function<void(const json&)> check_request = [&](const json& one) {
    if (one.contains("$ref"))
      requests.insert(one["$ref"].get<std::string>());
    const json& what = resolved(one);
    for (const json& choice : what.value("oneOf", json::array()))
      check_request(choice);
    if (what.value("type", json()) != "object")
      return;
    CHECK(what.at("additionalProperties") == false);
    if (const auto jobs = what["properties"].find("jobs"); jobs != what["properties"].end())
      check_request((*jobs)["items"]);
  };
  std::size_t bodies = 0;
  for (const auto& one : operations()) {
    INFO(one.route());
    if (one.what.contains("requestBody")) {
      ++bodies;
      for (const json& media : one.what["requestBody"]["content"])
        check_request(media["schema"]);
    }
  }
  CHECK(bodies > 8);
  for (const auto& [name, component] : document()["components"]["schemas"].items()) {
    INFO(name);
    CHECK(
        (requests.contains("#/components/schemas/" + name) || component.value("additionalProperties", json(true)) != json(false)));
  }
}

TEST_CASE("the bounds of the document are those of the daemon") {
  const json& submission = schema("Submission")["properties"];
  CHECK(submission["name"]["maxLength"] == limits::name_bytes_max);
  CHECK(submission["delay_seconds"]["maximum"] == limits::delay_seconds_max);
  CHECK(submission["needs"]["maxItems"] == limits::needs_max);
  CHECK(submission["group"]["maxLength"] == limits::group_name_bytes_max);
  CHECK(submission["unique_key"]["maxLength"] == limits::unique_key_bytes_max);
  CHECK(schema("Labels")["additionalProperties"]["maxLength"] == limits::label_value_bytes_max);
  CHECK(submission["user"]["maxLength"] == limits::user_name_bytes_max);
  CHECK(submission["priority"]["minimum"] == priority_min);
  CHECK(submission["priority"]["maximum"] == priority_max);
  CHECK(submission["priority"]["default"] == priority_default);
  CHECK(schema("SubmissionList")["properties"]["jobs"]["maxItems"] == limits::jobs_per_request_max);
  CHECK(schema("GroupChange")["properties"]["parallel"]["maximum"] == limits::group_parallel_max);
  CHECK(schema("NewToken")["properties"]["name"]["maxLength"] == limits::user_name_bytes_max);
  CHECK(schema("UserStatistics")["properties"]["weight"]["minimum"] == limits::user_weight_min);
  CHECK(schema("UserStatistics")["properties"]["weight"]["maximum"] == limits::user_weight_max);
  CHECK(schema("JobType")["properties"]["tier"]["maximum"] == limits::tier_max);
  CHECK(schema("Device")["properties"]["slots"]["maximum"] == limits::device_slots_max);
  CHECK(schema("NodeList")["properties"]["nodes"]["maxItems"] == limits::nodes_max);
  CHECK(schema("Node")["properties"]["name"]["maxLength"] == limits::node_name_bytes_max);
  CHECK(schema("Node")["properties"]["devices"]["maxItems"] == limits::node_devices_max);
  CHECK(schema("Clear")["properties"]["older_than_seconds"]["maximum"] == limits::delay_seconds_max);
  const json& parameters = document()["components"]["parameters"];
  CHECK(parameters["Limit"]["schema"]["maximum"] == limits::page_rows_max);
  CHECK(parameters["NodeName"]["schema"]["maxLength"] == limits::node_name_bytes_max);
  CHECK(parameters["Wait"]["schema"]["maximum"] == limits::wait_seconds_max);
  for (const auto& one : operations())
    for (const json& parameter : parameters_of(one)) {
      if (one.route() == "GET /jobs/{}/log" && parameter["name"] == "limit")
        CHECK(parameter["schema"]["maximum"] == limits::log_chunk_bytes_max);
      if (parameter["name"] == "Idempotency-Key")
        CHECK(parameter["schema"]["maxLength"] == limits::idempotency_key_bytes_max);
    }
}

TEST_CASE("the words of the document are those of the daemon") {
  for (const json& word : schema("JobStatus")["enum"])
    CHECK(job_state_from(word.get<std::string>()));
  CHECK(schema("JobStatus")["enum"].size() == 5);
  for (const json& word : schema("Failure")["properties"]["kind"]["enum"])
    CHECK(failure_kind_from(word.get<std::string>()));
  json rules = json::array(), roles = json::array(), codes = json::array();
  for (const needs_rule rule : all_needs_rules)
    rules.push_back(to_string(rule));
  CHECK(schema("NeedsRule")["enum"] == rules);
  for (const role one : {role::read, role::submit, role::admin})
    roles.push_back(to_string(one));
  CHECK(schema("Role")["enum"] == roles);
  names known;
  for (const json& code : schema("ErrorBody")["properties"]["code"]["enum"])
    known.insert(code.get<std::string>());
  for (int code = 0; code <= static_cast<int>(error_code::internal); ++code)
    CHECK(known.contains(to_string(static_cast<error_code>(code))));
}
