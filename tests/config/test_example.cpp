#include "config/loader.hpp"
#include "config/options.hpp"
#include "support.hpp"

#include <catch2/catch_test_macros.hpp>
#include <regex>

using namespace ferry;
using namespace ferry::config;
using namespace ferry::config::testing;

// FERRY_UPDATE_EXAMPLE=1 test_config writes the file anew after a declaration has changed.
TEST_CASE("ferry.example.toml is what the declarations say, followed by the job types that ferry ships") {
  const std::string expected = example_toml() + contents(source_file("config/job_types.toml"));
  if (std::getenv("FERRY_UPDATE_EXAMPLE") != nullptr)
    std::ofstream(source_file("config/ferry.example.toml"), std::ios::binary) << expected;
  CHECK(contents(source_file("config/ferry.example.toml")) == expected);
}

TEST_CASE("every option stands in ferry.example.toml with its default") {
  const plain_environment plain;
  const auto root = parse_toml(contents(source_file("config/ferry.example.toml")), "ferry.example.toml");
  REQUIRE(root);
  const settings none;
  for (const auto& declared : options()) {
    CAPTURE(declared.key);
    const toml::node* node = root->at_path(declared.key).node();
    REQUIRE(node != nullptr);
    toml_reader reader("ferry.example.toml");
    const auto value = reader.read(declared, std::string(declared.key), *node);
    REQUIRE(value);
    CHECK(*value == declared.get(none));
    CHECK_FALSE(declared.comment.empty());
  }
}

TEST_CASE("ferry.example.toml loads and changes nothing but the job types") {
  const plain_environment plain;
  const auto loaded = load(source_file("config/ferry.example.toml"));
  INFO((loaded ? "" : to_string(loaded.error())));
  REQUIRE(loaded);
  const settings expected = defaults();
  for (const auto& declared : options()) {
    CAPTURE(declared.key);
    CHECK(declared.get(*loaded) == declared.get(expected));
  }
  std::vector<std::string> names;
  for (const job_type& type : loaded->job_types)
    names.push_back(type.name);
  CHECK(names == std::vector<std::string>{"batch_inference", "command", "enhancement", "inference", "train", "upscale"});
}

TEST_CASE("every key of a job type stands in ferry.example.toml with its default") {
  const std::string text = example_toml();
  const job_type plain;
  for (const auto& declared : job_type_options()) {
    CAPTURE(declared.key);
    const std::string value = declared.get ? to_toml(declared, declared.get(plain)) : "{ }";
    CHECK(text.find("\n#   " + std::string(declared.key) + " = " + value + "\n") != std::string::npos);
  }
}

TEST_CASE("the keys of a job type load as the example writes them") {
  const plain_environment plain;
  std::string text;
  std::istringstream lines(example_toml());
  const std::regex commented("^# (\\[job_types\\.example\\])$|^#   ([a-z_.]+ = .*)$");
  std::smatch found;
  for (std::string line; std::getline(lines, line);)
    if (std::regex_match(line, found, commented))
      text += (found[1].matched ? found[1].str() : found[2].str()) + "\n";
  REQUIRE(text.find("command = []") != std::string::npos);
  text.replace(text.find("command = []"), 12, "command = [\"true\"]");
  const auto loaded = parse(text, "/etc/ferry.toml");
  INFO(text << (loaded ? "" : to_string(loaded.error())));
  REQUIRE(loaded);
  job_type expected;
  expected.command = {"true"};
  for (const auto& declared : job_type_options())
    if (declared.get) {
      CAPTURE(declared.key);
      CHECK(declared.get(*loaded->find_job_type("example")) == declared.get(expected));
    }
}

TEST_CASE("the demo's configuration loads, and its upscale is the one that ferry ships") {
  const plain_environment plain;
  const auto demo = load(source_file("config/demo.toml"));
  const auto example = load(source_file("config/ferry.example.toml"));
  REQUIRE(demo);
  REQUIRE(example);
  CHECK(demo->devices.cpu.slots == 2);
  REQUIRE(demo->job_types.size() == 2);
  const job_type& here = *demo->find_job_type("upscale");
  const job_type& shipped = *example->find_job_type("upscale");
  for (const auto& declared : job_type_options())
    if (declared.get) {
      CAPTURE(declared.key);
      CHECK(declared.get(here) == declared.get(shipped));
    }
  CHECK(here.parameters.source() == shipped.parameters.source());
}

TEST_CASE("values are written as TOML that reads back the same") {
  const declaration text{"key", option_kind::text, ""};
  const declaration list{"key", option_kind::text_list, ""};
  const declaration map{"key", option_kind::text_map, ""};
  const declaration numbers{"key", option_kind::number_map, "", 0, 100};
  const declaration span{"key", option_kind::duration, "", 0, 366LL * 86'400'000, 1};
  const std::pair<declaration, option_value> values[] = {
      {text, std::string("plain")},
      {text, std::string("quotes \" and \\ and \t and ä and \x01")},
      {list, std::vector<std::string>{"a", "", "b c"}},
      {list, std::vector<std::string>{}},
      {map, std::map<std::string, std::string>{{"A", "1"}, {"odd key.", "\n"}}},
      {map, std::map<std::string, std::string>{}},
      {numbers, std::map<std::string, double>{{"weights.vis", 0.1}, {"b", 2}}},
      {numbers, std::map<std::string, double>{}},
      {span, std::int64_t{0}},
      {span, std::int64_t{1}},
      {span, std::int64_t{1'500}},
      {span, std::int64_t{90'000}},
      {span, std::int64_t{7'200'000}},
      {span, std::int64_t{86'400'000}},
  };
  for (const auto& [declared, value] : values) {
    const std::string line = "key = " + to_toml(declared, value);
    CAPTURE(line);
    const auto root = parse_toml(line, "test.toml");
    REQUIRE(root);
    toml_reader reader("test.toml");
    const auto back = reader.read(declared, "key", *root->get("key"));
    REQUIRE(back);
    CHECK(*back == value);
  }
}
