#include "config/limits.hpp"
#include "config/parameter_schema.hpp"
#include "config/schema_violations.hpp"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <random>
#include <thread>

using namespace ferry;
using namespace ferry::config;

namespace {

parameter_schema compiled(const char* schema) {
  auto made = parameter_schema::compile(json::parse(schema));
  INFO(schema << (made ? "" : to_string(made.error())));
  REQUIRE(made);
  return *made;
}

struct bad_params {
  const char* schema;
  const char* params;
  const char* where;
  const char* what;
  const char* hint = "";
};

const bad_params violations_in_words[] = {
    {R"({"properties": {"n": {"type": "integer"}}})", R"({"n": "x"})", "/n", "must be a whole number, is \"x\""},
    {R"({"properties": {"n": {"type": "integer"}}})", R"({"n": 2.5})", "/n", "must be a whole number, is 2.5"},
    {R"({"properties": {"n": {"type": "number"}}})", R"({"n": true})", "/n", "must be a number, is true"},
    {R"({"properties": {"n": {"type": "string", "description": "a name"}}})", R"({"n": 1})", "/n", "must be text, is 1", "a name"},
    {R"({"properties": {"n": {"type": "boolean"}}})", R"({"n": "true"})", "/n", "must be true or false, is \"true\""},
    {R"({"properties": {"n": {"type": "array"}}})", R"({"n": {}})", "/n", "must be a list, is {}"},
    {R"({"properties": {"n": {"type": "object"}}})", R"({"n": []})", "/n", "must be an object, is []"},
    {R"({"properties": {"n": {"type": ["string", "null"]}}})", R"({"n": 1})", "/n", "must be text or null, is 1"},
    {R"({"properties": {"n": {"minimum": 1}}})", R"({"n": 0})", "/n", "must be at least 1, is 0"},
    {R"({"properties": {"n": {"maximum": 8}}})", R"({"n": 9})", "/n", "must be at most 8, is 9"},
    {R"({"properties": {"n": {"exclusiveMinimum": 0}}})", R"({"n": 0})", "/n", "must be more than 0, is 0"},
    {R"({"properties": {"n": {"exclusiveMaximum": 1.5}}})", R"({"n": 1.5})", "/n", "must be less than 1.5, is 1.5"},
    {R"({"properties": {"n": {"type": "integer", "multipleOf": 8}}})", R"({"n": 12})", "/n", "must be a multiple of 8, is 12"},
    {R"({"properties": {"n": {"enum": ["fast", "slow"]}}})", R"({"n": "fats"})", "/n",
     "must be one of \"fast\", \"slow\", is \"fats\"", "\"fast\""},
    {R"({"properties": {"n": {"const": 3}}})", R"({"n": 4})", "/n", "must be 3, is 4"},
    {R"({"properties": {"n": {"minLength": 2}}})", R"({"n": "ä"})", "/n", "must have at least 2 characters, has 1"},
    {R"({"properties": {"n": {"maxLength": 1}}})", R"({"n": "ab"})", "/n", "must have at most 1 character, has 2"},
    {R"({"properties": {"n": {"pattern": "^a", "maxLength": 9}}})", R"({"n": "ba"})", "/n", "must match the pattern ^a, is \"ba\""},
    {R"({"properties": {"n": {"minItems": 1}}})", R"({"n": []})", "/n", "must have at least 1 item, has 0"},
    {R"({"properties": {"n": {"maxItems": 1}}})", R"({"n": [1, 2]})", "/n", "must have at most 1 item, has 2"},
    {R"({"properties": {"n": {"uniqueItems": true, "maxItems": 9}}})", R"({"n": [1, 2, 1]})", "/n/2",
     "must not be in the list twice, is 1"},
    {R"({"properties": {"n": {"items": {"type": "string"}}}})", R"({"n": ["a", 1]})", "/n/1", "must be text, is 1"},
    {R"({"properties": {"n": {"items": [{"type": "string"}], "additionalItems": false}}})", R"({"n": ["a", 1]})", "/n/1",
     "is not allowed here"},
    {R"({"properties": {"n": {"contains": {"const": 1}}}})", R"({"n": [2]})", "/n", "must contain an item of the required form"},
    {R"({"properties": {"num_steps": {}}})", R"({"num_step": 1})", "/num_step", "is not known", "did you mean num_steps?"},
    {R"({"properties": {"a": {}, "b": {}}})", R"({"zebra": 1})", "/zebra", "is not known", "known are a, b"},
    {R"({"properties": {"w": {"properties": {"vis": {}}}}})", R"({"w": {"viz": 1}})", "/w/viz", "is not known",
     "did you mean vis?"},
    {R"({"properties": {"a": {"description": "the a"}}, "required": ["a"]})", "{}", "/a", "is missing", "the a"},
    {R"({"additionalProperties": {"type": "integer"}})", R"({"x": "y"})", "/x", "must be a whole number"},
    {R"({"additionalProperties": true, "minProperties": 1})", "{}", "", "must have at least 1 member, has 0"},
    {R"({"additionalProperties": true, "maxProperties": 1})", R"({"a": 1, "b": 2})", "", "must have at most 1 member, has 2"},
    {R"({"additionalProperties": true, "propertyNames": {"maxLength": 2}})", R"({"abc": 1})", "/abc", "is not a name allowed here"},
    {R"({"patternProperties": {"^x": {"type": "integer"}}})", R"({"xa": "1"})", "/xa", "must be a whole number"},
    {R"({"patternProperties": {"^x": {"type": "integer"}}})", R"({"ya": "1"})", "/ya", "is not known"},
    {R"({"properties": {"a": {}, "b": {}}, "dependencies": {"a": ["b"]}})", R"({"a": 1})", "/b", "is missing, and a needs it"},
    {R"({"properties": {"n": {"anyOf": [{"type": "string"}, {"minimum": 5}]}}})", R"({"n": 4})", "/n",
     "fits none of the 2 forms allowed, is 4"},
    {R"({"properties": {"n": {"oneOf": [{"type": "number"}, {"minimum": 5}]}}})", R"({"n": 6})", "/n",
     "fits 2 forms of which exactly one is allowed"},
    {R"({"properties": {"n": {"not": {"const": 6}}}})", R"({"n": 6})", "/n", "has a form that is not allowed, is 6"},
    {R"({"properties": {"n": {"allOf": [{"minimum": 2}, {"maximum": 3}]}}})", R"({"n": 4})", "/n", "must be at most 3, is 4"},
    {R"({"properties": {"n": {"if": {"type": "string"}, "then": {"minLength": 2}, "else": {"minimum": 2}}}})", R"({"n": 1})", "/n",
     "must be at least 2, is 1"},
    {R"({"properties": {"n": false}})", R"({"n": 1})", "/n", "is not allowed here"},
    {R"({"properties": {"a/b~c": {"type": "string"}}})", R"({"a/b~c": 1})", "/a~1b~0c", "must be text, is 1"},
    {R"({"definitions": {"pos": {"minimum": 1}}, "properties": {"n": {"$ref": "#/definitions/pos"}}})", R"({"n": 0})", "/n",
     "must be at least 1"},
    {"{}", "[]", "", "must be an object, are []"},
    {"{}", "null", "", "must be an object, are null"},
    {R"({"properties": {"n": {}}})", R"({"n": "a\u0000b"})", "/n", "must not hold a NUL character"},
    {R"({"additionalProperties": true})", R"({"a\u0000": 1})", "/a\0", "must not hold a NUL character"},
    {R"({"properties": {"n": {}}})", R"({"n": 18446744073709551615})", "/n", "must be a number of at most 9223372036854775807"},
};

} // namespace

TEST_CASE("a violation is told in plain words with its place, value and bound") {
  for (const auto& [schema, params, where, what, hint] : violations_in_words) {
    CAPTURE(schema, params);
    const auto valid = compiled(schema).validate(json::parse(params));
    REQUIRE_FALSE(valid);
    INFO(to_string(valid.error()));
    CHECK(valid.error().code == error_code::invalid_argument);
    CHECK(valid.error().what == "the parameters are not valid");
    REQUIRE(valid.error().problems.size() == 1);
    const problem& p = valid.error().problems.front();
    if (std::string_view(what).find("NUL") == std::string_view::npos)
      CHECK(p.where == where);
    CHECK(p.what.find(what) != std::string::npos);
    CHECK(p.hint.find(hint) != std::string::npos);
  }
}

TEST_CASE("all violations are reported at once, up to a bound") {
  const parameter_schema schema =
      compiled(R"({"properties": {"a": {"type": "integer"}, "b": {"maximum": 1}, "c": {}}, "required": ["c"]})");
  const auto valid = schema.validate({{"a", "x"}, {"b", 2}, {"d", 1}});
  REQUIRE_FALSE(valid);
  CHECK(valid.error().problems.size() == 4);
  const parameter_schema list = compiled(R"({"properties": {"a": {"items": {"type": "integer"}}}})");
  const auto many = list.validate({{"a", std::vector<std::string>(10'000, "x")}});
  REQUIRE_FALSE(many);
  CHECK(many.error().problems.size() == limits::problems_max);
}

TEST_CASE("defaults are filled in, nested ones too, and given values stay") {
  const parameter_schema schema = compiled(R"({
    "properties": {
      "steps": {"type": "integer", "default": 25},
      "weights": {"type": "object", "default": {"vis": 1}, "properties": {"vis": {"default": 0}, "edge": {"default": 0.5}}},
      "optional": {"type": "object", "properties": {"x": {"default": 1}}},
      "list": {"items": {"type": "object", "properties": {"y": {"default": 2}}}},
      "none": {"default": null}
    },
    "allOf": [{"properties": {"steps": {"default": 7}, "list": {"default": [{}]}}}]
  })");
  CHECK(*schema.validate(json::object()) ==
        json::parse(R"({"steps": 25, "weights": {"vis": 1, "edge": 0.5}, "list": [{}], "none": null})"));
  CHECK(*schema.validate(json::parse(R"({"steps": 1, "weights": {}, "optional": {}, "list": [{}, {"y": 3}], "none": 0})")) ==
        json::parse(
            R"({"steps": 1, "weights": {"vis": 0, "edge": 0.5}, "optional": {"x": 1}, "list": [{"y": 2}, {"y": 3}], "none": 0})"));
  // Filling in is idempotent where a default brings everything with it.
  const json once = *schema.validate(json::parse(R"({"list": [{}], "optional": {}})"));
  CHECK(*schema.validate(once) == once);
}

TEST_CASE("defaults of a branch follow its condition") {
  const parameter_schema schema = compiled(R"({
    "properties": {"kind": {"default": "video"}, "output": {}},
    "if": {"properties": {"kind": {"const": "picture"}}},
    "then": {"properties": {"output": {"default": "a.png"}}},
    "else": {"properties": {"output": {"default": "a.mp4"}}}
  })");
  CHECK((*schema.validate({{"kind", "picture"}}))["output"] == "a.png");
  CHECK((*schema.validate(json::object()))["output"] == "a.mp4");
  CHECK((*schema.validate({{"kind", "picture"}, {"output", "mine"}}))["output"] == "mine");
}

TEST_CASE("a schema that is not given takes any object") {
  const parameter_schema any;
  CHECK(any.validate(json::object()));
  CHECK(any.validate({{"a", {{"b", 1}}}}));
  CHECK_FALSE(any.validate(json::array()));
  CHECK_FALSE(any.validate({{"a", std::string("\0", 1)}}));
  CHECK(any.presence_of("a.b") == presence::sometimes);
}

TEST_CASE("parameters that are too large or too deep are refused whatever the schema says") {
  const parameter_schema any;
  const std::size_t around = json{{"a", ""}}.dump().size();
  CHECK(any.validate({{"a", std::string(limits::params_bytes_max - around, 'x')}}));
  const auto large = any.validate({{"a", std::string(limits::params_bytes_max - around + 1, 'x')}});
  REQUIRE_FALSE(large);
  CHECK(large.error().code == error_code::too_large);
  CHECK(large.error().what.find("at most 262144 bytes") != std::string::npos);
  CHECK(any.validate({{"a", std::vector<int>(100'000, 1)}})); // a generous estimate is not the measure
  CHECK_FALSE(any.validate({{"a", std::vector<int>(200'000, 1)}}));
  CHECK_FALSE(any.validate({{"a", std::string(limits::params_bytes_max / 6 + 100, '\x01')}}));

  const auto nested = [](std::size_t depth) {
    json value = 1;
    for (std::size_t i = 0; i < depth; ++i)
      value = i + 1 == depth ? json{{"a", value}} : json::array({value});
    return value;
  };
  CHECK(any.validate(nested(limits::json_depth_max)));
  const auto deep = any.validate(nested(limits::json_depth_max + 1));
  REQUIRE_FALSE(deep);
  CHECK(deep.error().problems.front().what.find("more than 32 deep") != std::string::npos);
  CHECK_FALSE(any.validate({{std::string(limits::member_name_bytes_max + 1, 'n'), 1}}));
  CHECK_FALSE(any.validate({{"a", "\xff"}}));
}

TEST_CASE("defaults cannot make parameters too large") {
  const json schema = {
      {"properties",
       {{"list", {{"items", {{"type", "object"}, {"properties", {{"x", {{"default", std::string(1000, 'x')}}}}}}}}}}}};
  const auto made = parameter_schema::compile(schema);
  REQUIRE(made);
  CHECK(made->validate({{"list", json::array({json::object()})}}));
  const auto many = made->validate({{"list", std::vector<json>(1000, json::object())}});
  REQUIRE_FALSE(many);
  CHECK(many.error().code == error_code::too_large);
}

TEST_CASE("the longest text that a pattern may meet is matched without trouble") {
#ifdef __SANITIZE_ADDRESS__
  SKIP("std::regex recurses once a character, and AddressSanitizer makes its frames several times larger");
#endif
  const parameter_schema schema = compiled(R"({"properties": {"n": {"pattern": "^(a|b|(c*d?))*$", "maxLength": 4096}}})");
  CHECK(schema.validate({{"n", std::string(limits::pattern_text_characters_max, 'a')}}));
  CHECK_FALSE(schema.validate({{"n", std::string(limits::pattern_text_characters_max + 1, 'a')}}));
  CHECK_FALSE(schema.validate({{"n", std::string(200'000, 'a')}}));
}

TEST_CASE("what a schema says of a path is known") {
  const parameter_schema schema = compiled(R"({
    "properties": {"a": {}, "b": {"default": 1}, "c": {"properties": {"d": {"default": 1}, "e": {}}},
                   "f": {"default": {}, "properties": {"g": {"default": 1}}}, "h": {"type": "object", "additionalProperties": true},
                   "s": {"type": "string", "format": "job-result"}, "n": {"properties": {"s": {"format": "job-result"}}}},
    "required": ["a"]})");
  CHECK(schema.presence_of("a") == presence::always);
  CHECK(schema.presence_of("b") == presence::always);
  CHECK(schema.presence_of("c") == presence::sometimes);
  CHECK(schema.presence_of("c.d") == presence::sometimes);
  CHECK(schema.presence_of("f.g") == presence::always);
  CHECK(schema.presence_of("h.anything") == presence::sometimes);
  CHECK(schema.presence_of("z") == presence::never);
  CHECK(schema.presence_of("f.z") == presence::never);
  CHECK(schema.job_result_paths() == std::vector<std::string>{"n.s", "s"});
}

TEST_CASE("one schema serves many threads") {
  const parameter_schema schema =
      compiled(R"({"properties": {"n": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 99}, "m": {"default": 1}}})");
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        wrong += schema.validate({{"n", "abc"}}) ? 0 : 1;
        wrong += schema.validate({{"n", "ABC"}}) ? 1 : 0;
      }
    });
  for (std::thread& thread : threads)
    thread.join();
  CHECK(wrong == 0);
}

namespace {

// Random schemas and values from a small alphabet, so that hits and misses both happen.
struct random_json {
  std::mt19937 random;

  unsigned below(unsigned n) { return static_cast<unsigned>(random() % n); }
  json value(int depth) {
    switch (below(depth > 0 ? 8 : 6)) {
    case 0: return nullptr;
    case 1: return below(2) == 0;
    case 2: return static_cast<int>(below(7)) - 2;
    case 3: return static_cast<double>(below(12)) / 2 - 1;
    case 4: return std::string(below(4), 'a');
    case 5: return std::string(below(3), 'b') + "a";
    case 6: {
      json list = json::array();
      for (unsigned n = below(4); n > 0; --n)
        list.push_back(value(depth - 1));
      return list;
    }
    default: return object(depth - 1);
    }
  }
  json object(int depth) {
    json out = json::object();
    for (const char* name : {"a", "b", "ab"})
      if (below(2) == 0)
        out[name] = value(depth);
    return out;
  }
  json schema(int depth) {
    json out = json::object();
    const char* const types[] = {"string", "integer", "number", "boolean", "object", "array", "null"};
    const auto maybe = [&](unsigned one_in) { return below(one_in) == 0; };
    if (maybe(3))
      out["type"] = maybe(4) ? json{types[below(7)], types[below(7)]} : json(types[below(7)]);
    if (maybe(8))
      out["enum"] = {value(1), value(1), value(0)};
    if (maybe(12))
      out["const"] = value(1);
    for (const char* bound : {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"})
      if (maybe(8))
        out[bound] = below(2);
    for (const char* bound : {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"})
      if (maybe(8))
        out[bound] = 1 + below(3);
    if (maybe(10))
      out["pattern"] = maybe(2) ? "^b" : "a$", out["maxLength"] = 3;
    if (maybe(10))
      out["uniqueItems"] = true, out["maxItems"] = 3;
    if (maybe(20))
      out["type"] = "integer", out["multipleOf"] = 2;
    if (depth > 0)
      nested(out, depth - 1, maybe);
    return out;
  }
  void nested(json& out, int depth, const auto& maybe) {
    if (maybe(2)) {
      for (const char* name : {"a", "b"})
        if (maybe(2))
          out["properties"][name] = schema(depth);
      if (maybe(3))
        out["additionalProperties"] = maybe(2) ? json(maybe(2)) : schema(depth);
      if (maybe(4))
        out["patternProperties"]["b$"] = schema(depth);
    }
    if (maybe(6))
      out["dependencies"] = {{"a", {"b"}}, {"b", schema(depth)}};
    if (maybe(8))
      out["propertyNames"] = {{"maxLength", 1}};
    if (maybe(4))
      out["items"] = maybe(3) ? json::array({schema(depth), schema(depth)}) : schema(depth);
    if (out.contains("items") && out["items"].is_array() && maybe(2))
      out["additionalItems"] = maybe(2) ? json(false) : schema(depth);
    if (maybe(8))
      out["contains"] = schema(depth);
    for (const char* combination : {"allOf", "anyOf", "oneOf"})
      if (maybe(8))
        out[combination] = {schema(depth), schema(depth)};
    if (maybe(8))
      out["not"] = schema(depth);
    if (maybe(6))
      out["if"] = schema(depth), out["then"] = schema(depth), out["else"] = schema(depth);
  }
};

} // namespace

TEST_CASE("what valijson refuses is explained, and what it accepts has no violation") {
  const auto seed = GENERATE(range(0, 60));
  CAPTURE(seed);
  random_json random{std::mt19937(static_cast<unsigned>(seed))};
  int accepted = 0, refused = 0;
  for (int i = 0; i < 50; ++i) {
    json schema = random.schema(3);
    schema["type"] = "object";
    const auto made = parameter_schema::compile(schema);
    if (!made)
      continue; // bounds that contradict each other
    const auto checked = check_schema(schema);
    for (int j = 0; j < 20; ++j) {
      const json params = random.object(2);
      const auto valid = made->validate(params);
      const auto found = violations(checked->normal, checked->patterns, params);
      CAPTURE(schema.dump(), params.dump());
      INFO((valid ? "accepted" : to_string(valid.error())));
      ++(valid ? accepted : refused);
      if (valid.has_value() != found.empty())
        FAIL_CHECK("valijson and the explanation disagree"
                   << (found.empty() ? "" : ": " + found.front().where + " " + found.front().what));
    }
  }
  CHECK(accepted > 20); // the test means something only when both happen
  CHECK(refused > 20);
}
