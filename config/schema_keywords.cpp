#include "config/schema_keywords.hpp"

#include <algorithm>
#include <array>

namespace ferry::config {
namespace {

constexpr keyword keywords[] = {
    {"type", form::types},
    {"enum", form::choices},
    {"const", form::anything},
    {"default", form::anything},
    {"title", form::text},
    {"description", form::text},
    {"$comment", form::text},
    {"$schema", form::text},
    {"$id", form::text},
    {"$ref", form::text},
    {"format", form::text},
    {"examples", form::anything},
    {"readOnly", form::flag},
    {"writeOnly", form::flag},
    {"minimum", form::number},
    {"maximum", form::number},
    {"exclusiveMinimum", form::number},
    {"exclusiveMaximum", form::number},
    {"multipleOf", form::divisor},
    {"minLength", form::count},
    {"maxLength", form::count},
    {"pattern", form::text},
    {"items", form::items},
    {"additionalItems", form::schema},
    {"minItems", form::count},
    {"maxItems", form::count},
    {"uniqueItems", form::flag},
    {"contains", form::schema},
    {"properties", form::schema_map},
    {"patternProperties", form::schema_map},
    {"additionalProperties", form::schema},
    {"required", form::names},
    {"minProperties", form::count},
    {"maxProperties", form::count},
    {"propertyNames", form::schema},
    {"dependencies", form::dependencies},
    {"allOf", form::schemas},
    {"anyOf", form::schemas},
    {"oneOf", form::schemas},
    {"not", form::schema},
    {"if", form::schema},
    {"then", form::schema},
    {"else", form::schema},
    {"definitions", form::schema_map},
    {"$defs", form::schema_map},
    {"x-order", form::names},
};

constexpr std::array<std::string_view, 12> dropped{"$comment", "$schema", "$id",   "$ref",     "$defs",     "definitions",
                                                   "examples", "format",  "title", "readOnly", "writeOnly", "x-order"};

} // namespace

const keyword* find_keyword(std::string_view name) {
  const auto* const found =
      std::find_if(std::begin(keywords), std::end(keywords), [&](const keyword& known) { return name == known.name; });
  return found == std::end(keywords) ? nullptr : found;
}

const std::vector<std::string>& keyword_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const keyword& k : keywords)
      all.emplace_back(k.name);
    return all;
  }();
  return names;
}

bool is_dropped_keyword(std::string_view name) { return std::find(dropped.begin(), dropped.end(), name) != dropped.end(); }

const std::vector<std::string>& type_names() {
  static const std::vector<std::string> names{"string", "integer", "number", "boolean", "object", "array", "null"};
  return names;
}

} // namespace ferry::config
