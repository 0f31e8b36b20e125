#include "config/schema_check.hpp"

#include "config/limits.hpp"
#include "config/schema_defaults.hpp"
#include "config/schema_keywords.hpp"
#include "config/schema_violations.hpp"
#include "config/text.hpp"

#include <algorithm>
#include <cmath>
#include <set>

namespace ferry::config {
namespace {

// Where in the schema: `at` is the JSON pointer for messages, `path` the dotted path of the value it judges (empty where there is
// none).
struct place {
  std::string at;
  std::string path;
  bool in_path = true; // reached by properties only, so that `path` names one value
  bool closes = true;  // objects here forbid what they do not name; parts of allOf, anyOf and the like must not
  std::size_t depth = 0;

  [[nodiscard]] place inside(const std::string& key) const {
    place p = *this;
    p.at += "/" + pointer_token(key);
    ++p.depth;
    return p;
  }
};

class checker {
public:
  explicit checker(const json& root) : root_(root) {}

  json schema(const json& node, place here);
  checked_schema out;
  std::vector<problem> problems;

private:
  void report(const place& here, std::string what, std::string hint = {}) {
    if (problems.size() < limits::problems_max)
      problems.push_back({here.at, std::move(what), std::move(hint)});
  }
  json reference(const json& node, const place& here);
  json value_of(const keyword& k, const json& value, const place& here);
  json part(const std::string& name, const json& value, const place& here, bool closes);
  json schema_map(const std::string& name, const json& value, const place& here);
  json dependencies(const json& value, const place& here);
  json items(const json& value, const place& here);
  json scalar(const keyword& k, const json& value, const place& here);
  json types(const json& value, const place& here);
  json names(const json& value, const place& here);
  void add_pattern(const std::string& pattern, const place& here);
  void check_together(const json& normal, const place& here);
  void check_required(const json& normal, const place& here);
  void check_order(const json& names, const json& normal, const place& here);
  void check_default(const json& normal, const place& here);

  const json& root_;
  std::size_t nodes_ = 0;
  std::vector<std::string> references_; // being expanded
};

json checker::schema(const json& node, place here) {
  if (++nodes_ > limits::schema_nodes_max) {
    if (nodes_ == limits::schema_nodes_max + 1)
      report(here, "the schema has more than " + std::to_string(limits::schema_nodes_max) + " parts, its references expanded");
    return json::object();
  }
  if (here.depth > limits::schema_depth_max) {
    report(here, "the schema is nested more than " + std::to_string(limits::schema_depth_max) + " deep");
    return json::object();
  }
  if (node.is_boolean())
    return node;
  if (!node.is_object()) {
    report(here, "must be a schema (a table), is " + shown(node));
    return json::object();
  }
  if (node.contains("$ref"))
    return reference(node, here);
  json normal = json::object();
  const std::size_t faults_before = problems.size();
  for (const auto& [name, value] : node.items()) {
    const keyword* k = find_keyword(name);
    if (k == nullptr) {
      report(here.inside(name), "is not a JSON Schema keyword", did_you_mean(name, keyword_names()));
      continue;
    }
    json checked = value_of(*k, value, here);
    if (!is_dropped_keyword(name))
      normal[name] = std::move(checked);
  }
  if (const auto it = node.find("format"); it != node.end() && *it == "job-result" && here.in_path && !here.path.empty())
    out.job_result_paths.push_back(here.path);
  if (problems.size() != faults_before)
    return normal;
  if (const auto order = node.find("x-order"); order != node.end())
    check_order(*order, normal, here.inside("x-order"));
  const bool is_object = normal.contains("properties") || normal.value("type", json()) == json("object");
  if (here.closes && is_object && !normal.contains("additionalProperties"))
    normal["additionalProperties"] = false;
  check_together(normal, here);
  return normal;
}

json checker::reference(const json& node, const place& here) {
  const json& target = node.at("$ref");
  const place at = here.inside("$ref");
  if (!target.is_string() || !target.get_ref<const std::string&>().starts_with("#/")) {
    report(at, "must refer to a part of this schema, is " + shown(target), "write #/definitions/name");
    return json::object();
  }
  const auto& text = target.get_ref<const std::string&>();
  if (std::find(references_.begin(), references_.end(), text) != references_.end()) {
    report(at, "refers to itself: recursive schemas are not supported");
    return json::object();
  }
  const json* found = nullptr;
  try {
    const json::json_pointer pointer(text.substr(1));
    if (root_.contains(pointer))
      found = &root_.at(pointer);
  } catch (const json::exception&) { found = nullptr; }
  if (found == nullptr) {
    report(at, "refers to " + shown(target) + ", which this schema does not have");
    return json::object();
  }
  references_.push_back(text);
  place there = here;
  ++there.depth;
  json expanded = schema(*found, there);
  references_.pop_back();
  // Draft 7 ignores what stands beside $ref; a description or default there is so common that it is kept.
  if (expanded.is_object())
    for (const char* kept : {"description", "default"})
      if (node.contains(kept))
        expanded[kept] = node.at(kept);
  if (expanded.is_object())
    check_default(expanded, here);
  return expanded;
}

json checker::part(const std::string& name, const json& value, const place& here, bool closes) {
  place p = here.inside(name);
  p.closes = closes && here.closes;
  p.in_path = false;
  return schema(value, p);
}

json checker::value_of(const keyword& k, const json& value, const place& here) {
  switch (k.value) {
  case form::schema: return part(k.name, value, here, std::string_view(k.name).starts_with("additional"));
  case form::items: return items(value, here);
  case form::schema_map: return schema_map(k.name, value, here);
  case form::dependencies: return dependencies(value, here);
  case form::types: return types(value, here.inside(k.name));
  case form::names: return names(value, here.inside(k.name));
  case form::anything: return value;
  case form::schemas: {
    if (!value.is_array() || value.empty()) {
      report(here.inside(k.name), "must be a list of one or more schemas, is " + shown(value));
      return json::array();
    }
    json all = json::array();
    const place list = here.inside(k.name);
    for (std::size_t i = 0; i < value.size(); ++i)
      all.push_back(part(std::to_string(i), value[i], list, false));
    return all;
  }
  default: return scalar(k, value, here.inside(k.name));
  }
}

json checker::schema_map(const std::string& name, const json& value, const place& here) {
  const place map = here.inside(name);
  json all = json::object();
  if (!value.is_object()) {
    report(map, "must be a table of schemas, is " + shown(value));
    return all;
  }
  for (const auto& [key, sub] : value.items()) {
    place p = map.inside(key);
    if (name == "properties")
      p.path = here.path.empty() ? key : here.path + "." + key;
    else
      p.in_path = false;
    if (name == "patternProperties")
      add_pattern(key, p);
    if (name == "definitions" || name == "$defs")
      continue; // judged where they are referred to
    all[key] = schema(sub, p);
  }
  return all;
}

json checker::dependencies(const json& value, const place& here) {
  const place map = here.inside("dependencies");
  json all = json::object();
  if (!value.is_object()) {
    report(map, "must be a table, is " + shown(value));
    return all;
  }
  for (const auto& [key, dependency] : value.items())
    all[key] = dependency.is_array() ? names(dependency, map.inside(key)) : part(key, dependency, map, false);
  return all;
}

json checker::items(const json& value, const place& here) {
  if (!value.is_array())
    return part("items", value, here, true);
  json all = json::array();
  const place list = here.inside("items");
  for (std::size_t i = 0; i < value.size(); ++i)
    all.push_back(part(std::to_string(i), value[i], list, true));
  return all;
}

json checker::scalar(const keyword& k, const json& value, const place& here) {
  const auto need = [&](bool good, const char* what) {
    if (!good)
      report(here, std::string("must be ") + what + ", is " + shown(value));
  };
  switch (k.value) {
  case form::text:
    need(value.is_string(), "text");
    if (std::string_view(k.name) == "pattern" && value.is_string())
      add_pattern(value.get<std::string>(), here);
    break;
  case form::flag: need(value.is_boolean(), "true or false"); break;
  case form::count: need(value.is_number_integer() && value >= 0, "a whole number of at least 0"); break;
  case form::number: need(value.is_number() && std::isfinite(value.get<double>()), "a number"); break;
  case form::divisor: need(value.is_number_integer() && value > 0, "a whole number of at least 1"); break;
  case form::choices: need(value.is_array() && !value.empty(), "a list of one or more values"); break;
  default: break;
  }
  return value;
}

json checker::types(const json& value, const place& here) {
  const json list = value.is_array() ? value : json::array({value});
  if (list.empty())
    report(here, "must name at least one type");
  for (const json& type : list) {
    const bool known = type.is_string() && std::find(type_names().begin(), type_names().end(), type) != type_names().end();
    if (!known)
      report(here, "must be one of " + joined(type_names(), ", ") + ", is " + shown(type),
             type.is_string() ? did_you_mean(type.get<std::string>(), type_names()) : "");
  }
  return value;
}

json checker::names(const json& value, const place& here) {
  const bool good = value.is_array() && std::all_of(value.begin(), value.end(), [](const json& name) { return name.is_string(); });
  if (!good) {
    report(here, "must be a list of names, is " + shown(value));
    return json::array();
  }
  return value;
}

void checker::add_pattern(const std::string& pattern, const place& here) {
  if (out.patterns.contains(pattern))
    return;
  try {
    out.patterns.emplace(pattern, std::regex(pattern));
  } catch (const std::regex_error& e) {
    report(here, "is not a regular expression: " + std::string(e.what()) + ", is \"" + shortened(pattern) + "\"");
  }
}

void checker::check_together(const json& normal, const place& here) {
  const auto ordered = [&](const char* least, const char* most) {
    if (normal.contains(least) && normal.contains(most) && normal.at(least) > normal.at(most))
      report(here, std::string(least) + " " + shown(normal.at(least)) + " is more than " + most + " " + shown(normal.at(most)));
  };
  ordered("minimum", "maximum");
  ordered("minLength", "maxLength");
  ordered("minItems", "maxItems");
  ordered("minProperties", "maxProperties");
  const auto bounded = [&](const char* keyword, const char* needed, std::size_t most) {
    if (normal.contains(keyword) && !(normal.contains(needed) && normal.at(needed) <= most))
      report(here, std::string(keyword) + " needs " + needed + " of at most " + std::to_string(most) + " beside it",
             "so that no value can make the check expensive");
  };
  bounded("pattern", "maxLength", limits::pattern_text_characters_max);
  if (normal.value("uniqueItems", false))
    bounded("uniqueItems", "maxItems", limits::unique_items_max);
  if (normal.contains("multipleOf") && normal.value("type", json()) != "integer")
    report(here, "multipleOf needs type \"integer\" beside it", "multiples of fractions are not exact");
  if ((normal.contains("then") || normal.contains("else")) && !normal.contains("if"))
    report(here, "then and else need an if beside them");
  check_required(normal, here);
  check_default(normal, here);
}

void checker::check_required(const json& normal, const place& here) {
  if (!normal.contains("required") || normal.value("additionalProperties", json()) != json(false))
    return;
  const json properties = normal.value("properties", json::object());
  std::vector<std::string> known;
  for (const auto& [name, unused] : properties.items())
    known.push_back(name);
  for (const json& name : normal.at("required"))
    if (!properties.contains(name.get<std::string>()) && !normal.contains("patternProperties"))
      report(here.inside("required"), shown(name) + " is required but not among the properties",
             did_you_mean(name.get<std::string>(), known));
}

void checker::check_order(const json& names, const json& normal, const place& here) {
  const json properties = normal.value("properties", json::object());
  std::vector<std::string> known;
  for (const auto& [name, unused] : properties.items())
    known.push_back(name);
  std::set<std::string> seen;
  for (const json& name : names) {
    const auto& text = name.get_ref<const std::string&>();
    if (!properties.contains(text))
      report(here, shown(name) + " is in the order but not among the properties", did_you_mean(text, known));
    else if (!seen.insert(text).second)
      report(here, shown(name) + " is in the order twice");
  }
}

void checker::check_default(const json& normal, const place& here) {
  const auto it = normal.find("default");
  if (it == normal.end() || !problems.empty())
    return; // judging by a faulty schema would only add noise
  json filled = *it;
  default_plan(normal).fill(filled, out.patterns);
  for (problem& p : violations(normal, out.patterns, filled)) {
    place at = here.inside("default");
    at.at += p.where;
    report(at, "the default breaks its own schema: " + p.what, p.hint);
  }
}

} // namespace

result<checked_schema> check_schema(const json& schema) {
  checker check(schema);
  if (!schema.is_object())
    return fail(error{error_code::invalid_argument,
                      "the parameters' schema is not valid",
                      {},
                      {{"", "must be a table, is " + shown(schema), {}}}});
  json root = schema;
  if (!root.contains("type") && !root.contains("$ref"))
    root["type"] = "object";
  check.out.normal = check.schema(root, {});
  if (check.problems.empty() && check.out.normal.value("type", json()) != json("object"))
    check.problems.push_back(
        {"/type",
         "parameters are always an object, so this must be \"object\", is " + shown(check.out.normal.value("type", json())),
         {}});
  if (!check.problems.empty())
    return fail(error{error_code::invalid_argument, "the parameters' schema is not valid", {}, std::move(check.problems)});
  return std::move(check.out);
}

} // namespace ferry::config
