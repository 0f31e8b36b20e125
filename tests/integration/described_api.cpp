#include "tests/integration/described_api.hpp"

#include <algorithm>
#include <sstream>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

namespace ferry::tests {
namespace {

constexpr std::string_view json_type = "application/json";

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::vector<std::string> split(const std::string& text, char by) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, by);)
    parts.push_back(part);
  return parts;
}

// How many segments are the same, word for word; nothing: it is another path.
std::optional<std::size_t> fit(const std::string& described, const std::string& path) {
  const auto wanted = split(described, '/'), given = split(path, '/');
  if (wanted.size() != given.size())
    return std::nullopt;
  std::size_t same = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i)
    if (wanted[i] == given[i])
      ++same;
    else if (!wanted[i].starts_with('{'))
      return std::nullopt;
  return same;
}

} // namespace

described_api::described_api(const daemon_process& daemon) : socket_(daemon.socket()) {
  const auto answer = raw_connection(socket_).ask("GET", "/api/v1/openapi.json");
  REQUIRE(answer.status == 200);
  REQUIRE(answer.header("Content-Type") == json_type);
  document_ = json::parse(answer.body);
}

std::string described_api::operation::route() const {
  std::string text = method;
  for (const auto& segment : split(path.substr(1), '/'))
    text += (text == method ? " /" : "/") + (segment.starts_with('{') ? "{}" : segment);
  return text;
}

std::vector<described_api::operation> described_api::operations() const {
  std::vector<operation> all;
  for (const auto& [path, item] : document_.at("paths").items())
    for (const std::string method : {"GET", "POST", "PATCH", "DELETE"})
      if (const auto found = item.find(lower(method)); found != item.end() && !item.contains("servers"))
        all.push_back({method, path, *found});
  return all;
}

described_api::operation described_api::find(const std::string& method, const std::string& target) const {
  std::optional<operation> best;
  std::size_t most = 0;
  for (const auto& one : operations())
    if (const auto same = fit(one.path, target.substr(0, target.find('?')));
        one.method == method && same && (!best || *same > most)) {
      most = *same;
      best.emplace(one);
    }
  INFO(method << " " << target);
  REQUIRE(best);
  return *best;
}

const json& described_api::resolved(const json& one) const {
  return one.is_object() && one.contains("$ref") ? document_.at(json::json_pointer(one["$ref"].get<std::string>().substr(1))) : one;
}

json described_api::expanded(const json& schema, bool is_whole) const {
  json one = resolved(schema);
  if (!one.is_object())
    return one;
  if (const auto parts = one.find("allOf"); parts != one.end()) {
    json merged = {{"type", "object"}, {"properties", json::object()}, {"required", json::array()}};
    for (const json& part : *parts) {
      const json inner = expanded(part, is_whole);
      merged["properties"].update(inner.at("properties"));
      for (const json& name : inner.value("required", json::array()))
        merged["required"].push_back(name);
    }
    one = std::move(merged);
  } else if (one.contains("properties")) {
    for (json& property : one["properties"])
      property = expanded(property, is_whole);
  }
  for (const char* key : {"items", "additionalProperties"})
    if (one.contains(key))
      one[key] = expanded(one[key], is_whole);
  for (const char* key : {"anyOf", "oneOf"})
    if (one.contains(key))
      for (json& choice : one[key])
        choice = expanded(choice, is_whole);
  if (one.contains("format") && one["type"].is_array()) { // valijson holds null against the format, too
    json text = {{"type", "string"}, {"format", one["format"]}};
    one = {{"anyOf", {std::move(text), {{"type", "null"}}}}};
  }
  if (is_whole && one.contains("properties") && !one.contains("additionalProperties"))
    one["additionalProperties"] = false;
  return one;
}

std::string described_api::misfit(const json& schema, const json& value, bool is_whole) const {
  const json whole = expanded(schema, is_whole);
  valijson::Schema judge;
  valijson::SchemaParser(valijson::SchemaParser::kDraft7).populateSchema(valijson::adapters::NlohmannJsonAdapter(whole), judge);
  valijson::ValidationResults faults;
  valijson::Validator validator(valijson::Validator::kStrongTypes);
  if (validator.validate(judge, valijson::adapters::NlohmannJsonAdapter(value), &faults))
    return {};
  std::string text;
  for (const auto& fault : faults) {
    for (const auto& step : fault.context)
      text += step;
    text += ": " + fault.description + "\n";
  }
  return text.empty() ? "it does not fit" : text;
}

raw_answer described_api::ask(const std::string& method, const std::string& target, const std::string& body,
                              const std::vector<std::string>& headers) {
  const auto one = find(method, target);
  auto answer = raw_connection(socket_).ask(method, "/api/v1" + target, headers, body);
  INFO(method << " " << target << " " << body << "\n" << answer.status << " " << answer.body);
  const json& answers = one.what.at("responses");
  REQUIRE(answers.contains(std::to_string(answer.status)));
  const json& described = resolved(answers[std::to_string(answer.status)]);
  const auto type = answer.header("Content-Type");
  REQUIRE((described.at("content").contains(type) || described["content"].contains("*/*")));
  if (type == json_type && described["content"].contains(type))
    CHECK(misfit(described["content"][type]["schema"], json::parse(answer.body), true) == "");
  for (const auto& line : split(answer.head, '\n'))
    if (line.starts_with("Ferry-"))
      CHECK(described.at("headers").contains(line.substr(0, line.find(':'))));
  if (answer.status < 300)
    asked_.insert(one.id());
  return answer;
}

json described_api::succeed(const std::string& method, const std::string& target, const json& body) {
  const auto one = find(method, target);
  INFO(method << " " << target << " " << body);
  if (const auto query = target.find('?'); query != target.npos)
    for (const auto& parameter : split(target.substr(query + 1), '&')) {
      const auto& list = one.what.at("parameters");
      CHECK(std::any_of(list.begin(), list.end(), [&](const json& each) {
        return resolved(each)["name"] == parameter.substr(0, parameter.find('=')) && resolved(each)["in"] == "query";
      }));
    }
  if (!body.is_null())
    CHECK(misfit(one.what.at("requestBody")["content"].at(std::string(json_type))["schema"], body, false) == "");
  const auto answer = ask(method, target, body.is_null() ? "" : body.dump());
  INFO(answer.body);
  CHECK(answer.status / 100 == 2);
  return answer.header("Content-Type") == json_type ? json::parse(answer.body) : json();
}

} // namespace ferry::tests
