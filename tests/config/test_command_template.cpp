#include "config/command_template.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ferry;
using namespace ferry::config;
using kind = template_piece::kind;

TEST_CASE("a command word is taken apart into text and placeholders") {
  const auto pieces = [](std::string_view word) {
    auto parsed = parse_template(word);
    INFO((parsed ? "" : to_string(parsed.error())));
    REQUIRE(parsed);
    return *parsed;
  };
  using list = std::vector<template_piece>;
  CHECK(pieces("").empty());
  CHECK(pieces("-y") == list{{kind::literal, "-y"}});
  CHECK(pieces("{spec}") == list{{kind::placeholder, "spec"}});
  CHECK(pieces("file:{dir}/{params.output}.png") == list{{kind::literal, "file:"},
                                                         {kind::placeholder, "dir"},
                                                         {kind::literal, "/"},
                                                         {kind::parameter, "output"},
                                                         {kind::literal, ".png"}});
  CHECK(pieces("{params.weights.vis}") == list{{kind::parameter, "weights.vis"}});
  CHECK(pieces("{params.argv...}") == list{{kind::parameter_list, "argv"}});
  CHECK(pieces("{{spec}}") == list{{kind::literal, "{spec}"}});
  CHECK(pieces("{{{dir}}}") == list{{kind::literal, "{"}, {kind::placeholder, "dir"}, {kind::literal, "}"}});
  for (const char* name : {"job_id", "batch_id", "device", "threads"})
    CHECK(pieces("{" + std::string(name) + "}") == list{{kind::placeholder, name}});
}

TEST_CASE("a broken command word is refused with its fault") {
  struct bad {
    const char* word;
    const char* what;
    const char* hint;
  };
  const bad words[] = {
      {"{", "never closed", "{{"},
      {"a{spec", "never closed", "{{"},
      {"{a{b}", "never closed", "{{"},
      {"}", "no opening", "}}"},
      {"a}b", "no opening", "}}"},
      {"{}", "{} is not a placeholder", "known are {spec}"},
      {"{specs}", "{specs} is not a placeholder", "did you mean spec?"},
      {"{params}", "not a placeholder", "{params.name}"},
      {"{params.}", "does not name a parameter", "{params.name}"},
      {"{params..a}", "does not name a parameter", ""},
      {"{params.a..b}", "does not name a parameter", ""},
      {"{params.a b}", "does not name a parameter", ""},
      {"{params....}", "does not name a parameter", ""},
      {"x{params.argv...}", "must stand alone", ""},
      {"{params.argv...}{dir}", "must stand alone", ""},
  };
  for (const auto& [word, what, hint] : words) {
    CAPTURE(word);
    const auto parsed = parse_template(word);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == error_code::invalid_argument);
    INFO(to_string(parsed.error()));
    CHECK(parsed.error().what.find(what) != std::string::npos);
    CHECK(parsed.error().hint.find(hint) != std::string::npos);
  }
}
