#include "config/limits.hpp"
#include "config/parameter_schema.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ferry;
using namespace ferry::config;

namespace {

struct bad_schema {
  const char* schema;
  const char* where;
  const char* what;
  const char* hint = "";
};

const bad_schema bad_schemas[] = {
    {"[]", "", "must be a table, is []"},
    {"7", "", "must be a table, is 7"},
    {R"({"type": "array"})", "/type", "must be \"object\", is \"array\""},
    {R"({"type": "objekt"})", "/type", "must be one of", "did you mean object?"},
    {R"({"type": ["object", "null"]})", "/type", "must be \"object\", is [\"object\",\"null\"]"},
    {R"({"property": {}})", "/property", "is not a JSON Schema keyword"},
    {R"({"propreties": {}})", "/propreties", "is not a JSON Schema keyword", "did you mean properties?"},
    {R"({"properties": []})", "/properties", "must be a table of schemas, is []"},
    {R"({"properties": {"a": 1}})", "/properties/a", "must be a schema (a table), is 1"},
    {R"({"properties": {"a": {"type": "int"}}})", "/properties/a/type", "must be one of string, integer"},
    {R"({"properties": {"a": {"type": []}}})", "/properties/a/type", "must name at least one type"},
    {R"({"properties": {"a": {"type": 7}}})", "/properties/a/type", "must be one of"},
    {R"({"properties": {"a": {"minimum": "1"}}})", "/properties/a/minimum", "must be a number, is \"1\""},
    {R"({"properties": {"a": {"exclusiveMinimum": true}}})", "/properties/a/exclusiveMinimum", "must be a number, is true"},
    {R"({"properties": {"a": {"minLength": -1}}})", "/properties/a/minLength", "must be a whole number of at least 0, is -1"},
    {R"({"properties": {"a": {"maxItems": 1.5}}})", "/properties/a/maxItems", "must be a whole number of at least 0, is 1.5"},
    {R"({"properties": {"a": {"type": "integer", "multipleOf": 0}}})", "/properties/a/multipleOf",
     "must be a whole number of at least 1"},
    {R"({"properties": {"a": {"multipleOf": 2}}})", "/properties/a", "multipleOf needs type \"integer\""},
    {R"({"properties": {"a": {"enum": []}}})", "/properties/a/enum", "must be a list of one or more values"},
    {R"({"properties": {"a": {"enum": "x"}}})", "/properties/a/enum", "must be a list of one or more values"},
    {R"({"properties": {"a": {"pattern": "(", "maxLength": 1}}})", "/properties/a/pattern", "is not a regular expression"},
    {R"({"properties": {"a": {"pattern": 7, "maxLength": 1}}})", "/properties/a/pattern", "must be text, is 7"},
    {R"({"properties": {"a": {"pattern": "a"}}})", "/properties/a", "pattern needs maxLength of at most 4096"},
    {R"({"properties": {"a": {"pattern": "a", "maxLength": 5000}}})", "/properties/a", "pattern needs maxLength of at most 4096"},
    {R"({"properties": {"a": {"uniqueItems": true}}})", "/properties/a", "uniqueItems needs maxItems of at most 1000"},
    {R"({"properties": {"a": {"uniqueItems": 1}}})", "/properties/a/uniqueItems", "must be true or false, is 1"},
    {R"({"properties": {"a": {"minimum": 3, "maximum": 2}}})", "/properties/a", "minimum 3 is more than maximum 2"},
    {R"({"properties": {"a": {"minLength": 3, "maxLength": 2}}})", "/properties/a", "minLength 3 is more than maxLength 2"},
    {R"({"properties": {"a": {"items": 1}}})", "/properties/a/items", "must be a schema"},
    {R"({"properties": {"a": {"items": [{"type": "x"}]}}})", "/properties/a/items/0/type", "must be one of"},
    {R"({"x-order": "a"})", "/x-order", "must be a list of names, is \"a\""},
    {R"({"properties": {"steps": {}}, "x-order": ["step"]})", "/x-order", "\"step\" is in the order but not among the properties",
     "did you mean steps?"},
    {R"({"properties": {"a": {}}, "x-order": ["a", "a"]})", "/x-order", "\"a\" is in the order twice"},
    {R"({"required": "a"})", "/required", "must be a list of names, is \"a\""},
    {R"({"required": [1]})", "/required", "must be a list of names"},
    {R"({"required": ["step"], "properties": {"steps": {}}})", "/required", "\"step\" is required but not among the properties",
     "did you mean steps?"},
    {R"({"additionalProperties": 1})", "/additionalProperties", "must be a schema"},
    {R"({"patternProperties": {"(": {}}})", "/patternProperties/(", "is not a regular expression"},
    {R"({"dependencies": []})", "/dependencies", "must be a table"},
    {R"({"dependencies": {"a": [1]}})", "/dependencies/a", "must be a list of names"},
    {R"({"allOf": []})", "/allOf", "must be a list of one or more schemas"},
    {R"({"anyOf": {}})", "/anyOf", "must be a list of one or more schemas"},
    {R"({"oneOf": [{"x": 1}]})", "/oneOf/0/x", "is not a JSON Schema keyword"},
    {R"({"then": {}})", "", "then and else need an if"},
    {R"({"properties": {"a": {"$ref": "other.json"}}})", "/properties/a/$ref", "must refer to a part of this schema",
     "#/definitions"},
    {R"({"properties": {"a": {"$ref": "http://x/y"}}})", "/properties/a/$ref", "must refer to a part of this schema"},
    {R"({"properties": {"a": {"$ref": 1}}})", "/properties/a/$ref", "must refer to a part"},
    {R"({"properties": {"a": {"$ref": "#/definitions/b"}}})", "/properties/a/$ref", "which this schema does not have"},
    {R"({"properties": {"a": {"$ref": "#/~7"}}})", "/properties/a/$ref", "which this schema does not have"},
    {R"({"definitions": {"b": {"properties": {"c": {"$ref": "#/definitions/b"}}}}, "properties": {"a": {"$ref": "#/definitions/b"}}})",
     "/properties/a/properties/c/$ref", "refers to itself"},
    {R"({"properties": {"a": {"type": "integer", "default": "x"}}})", "/properties/a/default",
     "the default breaks its own schema: must be a whole number"},
    {R"({"properties": {"a": {"default": {"y": 1}, "properties": {"x": {}}}}})", "/properties/a/default/y",
     "the default breaks its own schema: is not known"},
    {R"({"properties": {"a": {"title": 7}}})", "/properties/a/title", "must be text, is 7"},
};

} // namespace

TEST_CASE("a faulty schema is refused with the place of each fault") {
  for (const auto& [schema, where, what, hint] : bad_schemas) {
    CAPTURE(schema);
    const auto made = parameter_schema::compile(json::parse(schema));
    REQUIRE_FALSE(made);
    INFO(to_string(made.error()));
    REQUIRE(made.error().problems.size() == 1);
    const problem& p = made.error().problems.front();
    CHECK(p.where == where);
    CHECK(p.what.find(what) != std::string::npos);
    CHECK(p.hint.find(hint) != std::string::npos);
  }
}

TEST_CASE("every fault of a schema is reported") {
  const auto made = parameter_schema::compile(
      json::parse(R"({"properties": {"a": {"type": "int"}, "b": {"minimun": 1}, "c": {"enum": []}}, "required": [3]})"));
  REQUIRE_FALSE(made);
  CHECK(made.error().problems.size() == 4);
}

TEST_CASE("references are expanded, but not without bound") {
  json schema = {{"definitions", {{"d0", {{"type", "integer"}}}}}, {"properties", {{"a", {{"$ref", "#/definitions/d3"}}}}}};
  const auto define = [&](int levels, int width) {
    for (int i = 1; i <= levels; ++i) {
      json properties = json::object();
      for (int j = 0; j < width; ++j)
        properties["p" + std::to_string(j)] = {{"$ref", "#/definitions/d" + std::to_string(i - 1)}};
      schema["definitions"]["d" + std::to_string(i)] = {{"type", "object"}, {"properties", properties}};
    }
  };
  define(3, 3);
  const auto made = parameter_schema::compile(schema);
  REQUIRE(made);
  CHECK(made->validate({{"a", {{"p0", {{"p1", {{"p2", 1}}}}}}}}));
  CHECK_FALSE(made->validate({{"a", {{"p0", {{"p1", {{"p2", "x"}}}}}}}}));
  define(20, 10);
  schema["properties"]["a"]["$ref"] = "#/definitions/d20";
  const auto bomb = parameter_schema::compile(schema);
  REQUIRE_FALSE(bomb);
  CHECK(bomb.error().problems.front().what.find("more than 10000 parts") != std::string::npos);
}

TEST_CASE("a schema nested too deep is refused") {
  json schema = json::object();
  for (std::size_t i = 0; i < limits::schema_depth_max; ++i)
    schema = {{"properties", {{"a", schema}}}};
  const auto made = parameter_schema::compile(schema);
  REQUIRE_FALSE(made);
  CHECK(made.error().problems.front().what.find("more than 64 deep") != std::string::npos);
}

TEST_CASE("properties may be called as keywords are") {
  const auto made = parameter_schema::compile(json::parse(
      R"({"properties": {"type": {"type": "string"}, "format": {"type": "integer"}, "$ref": {"type": "string"}, "default": {}}})"));
  REQUIRE(made);
  CHECK(made->validate({{"type", "a"}, {"format", 1}, {"$ref", "x"}, {"default", 2}}));
  CHECK_FALSE(made->validate({{"type", 1}}));
}
