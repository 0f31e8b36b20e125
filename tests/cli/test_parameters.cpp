#include "cli/parameters.hpp"
#include "tests/support/scratch_folder.hpp"

#include "cli/json_text.hpp"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>

using namespace ferry;
using namespace ferry::cli;

namespace {

json params(const std::vector<std::string>& given, const std::string& document = "{}") {
  const auto made = parameters_from(&document, given);
  REQUIRE(made.has_value());
  return *made;
}

std::string refusal(const std::vector<std::string>& given, const std::string& document = "{}") {
  const auto made = parameters_from(&document, given);
  REQUIRE_FALSE(made.has_value());
  CHECK(made.error().code == error_code::invalid_argument);
  return made.error().what;
}

} // namespace

TEST_CASE("a value is JSON where it reads as JSON, and text otherwise") {
  CHECK(params({"a=7", "b=0.5", "c=true", "d=null", "e=[1,2]", "f={\"x\":1}"}) ==
        json::parse(R"({"a":7,"b":0.5,"c":true,"d":null,"e":[1,2],"f":{"x":1}})"));
  CHECK(params({"a=seven", "b=007", "c=", "d=True", "e=a=b", "f=\"quoted\""}) ==
        json::parse(R"({"a":"seven","b":"007","c":"","d":"True","e":"a=b","f":"\"quoted\""})"));
  CHECK(params({"big=18446744073709551615"})["big"].dump() == "18446744073709551615");
}

TEST_CASE("a dotted key reaches into objects") {
  CHECK(params({"weights.vis=0.5", "weights.edge=0.25"}) == json::parse(R"({"weights":{"vis":0.5,"edge":0.25}})"));
  CHECK(params({"a.b.c=1"}) == json::parse(R"({"a":{"b":{"c":1}}})"));
}

TEST_CASE("the option --param goes over --json") {
  CHECK(params({"steps=5", "w.x=2"}, R"({"steps": 1, "seed": 9, "w": {"x": 1, "y": 1}})") ==
        json::parse(R"({"steps":5,"seed":9,"w":{"x":2,"y":1}})"));
}

TEST_CASE("a value can be forced to be JSON, and so to be text") {
  CHECK(params({"seed:=\"7\"", "n:=7"}) == json::parse(R"({"seed":"7","n":7})"));
  CHECK(refusal({"seed:=seven"}).starts_with("--param seed is not valid JSON"));
}

TEST_CASE("a value can come from a file") {
  const ferry::tests::scratch_folder folder;
  const auto file = folder.path() / "prompt.txt";
  std::ofstream(file) << "{\"a\": [1]}";
  CHECK(params({"prompt=@" + file.string()}) == json{{"prompt", "{\"a\": [1]}"}});
  CHECK(params({"prompt:=@" + file.string()}) == json{{"prompt", {{"a", {1}}}}});
  CHECK(params({}, "@" + file.string()) == json{{"a", {1}}});
  std::filesystem::remove(file);
  CHECK(refusal({"prompt=@" + file.string()}).find("cannot be read: No such file") != std::string::npos);
}

TEST_CASE("what cannot be a parameter is refused by name") {
  CHECK(refusal({"steps"}) == "--param must be key=value, is \"steps\"");
  CHECK(refusal({"=5"}) == "--param must be key=value, is \"=5\"");
  CHECK(refusal({"a..b=5"}) == "--param \"a..b=5\" has an empty name in its key");
  CHECK(refusal({".a=5"}) == "--param \".a=5\" has an empty name in its key");
  CHECK(refusal({"a=1", "a.b=2"}) == "--param \"a.b=2\": a is 1 and holds nothing named b");
  CHECK(refusal({"a=123456789012345678901234567890"}).ends_with("does not fit in 64 bits"));
  CHECK(refusal({}, "[1]") == "--json must be a JSON object such as {\"steps\": 20}, is array");
  CHECK(refusal({}, "{\"a\": }").starts_with("--json is not valid JSON: parse error at line 1, column 7"));
}

TEST_CASE("text that is not UTF-8 is refused, not replaced") {
  const auto body = body_from(params({"name=\xff"}));
  REQUIRE_FALSE(body.has_value());
  CHECK(body.error().what.starts_with("a parameter, name or argument holds bytes that are not UTF-8"));
}
