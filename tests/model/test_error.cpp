#include "model/error.hpp"

#include <catch2/catch_test_macros.hpp>
#include <set>

using namespace ferry;

TEST_CASE("an error is printed with its hint and a line for each problem") {
  CHECK(to_string(error{error_code::io, "the disk is gone"}) == "the disk is gone");
  CHECK(to_string(error{error_code::io, "the disk is gone", "plug it in"}) == "the disk is gone (plug it in)");
  const error e{error_code::invalid_argument,
                "the configuration has problems",
                "",
                {{"a.b", "must be 1", "try 1", "f.toml", 3},
                 {"", "is empty", "", "f.toml", 0},
                 {"/x", "is missing", ""},
                 {"", "is odd", ""}}};
  CHECK(to_string(e) ==
        "the configuration has problems\n  f.toml:3: a.b: must be 1 (try 1)\n  f.toml: is empty\n  /x: is missing\n  is odd");
}

TEST_CASE("every error code has a name of its own") {
  std::set<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(error_code::internal); ++code)
    CHECK(names.insert(to_string(static_cast<error_code>(code))).second);
  CHECK(to_string(error_code::invalid_argument) == "invalid_argument");
  CHECK(to_string(error_code::newer_version) == "newer_version");
}

TEST_CASE("a result holds a value or an error") {
  const auto half = [](int n) -> result<int> {
    if (n % 2 != 0)
      return fail(error_code::invalid_argument, "odd", "give an even number");
    return n / 2;
  };
  CHECK(half(4) == 2);
  REQUIRE_FALSE(half(3));
  CHECK(half(3).error().hint == "give an even number");
  const auto passed_on = [&](int n) -> result<std::string> {
    auto h = half(n);
    if (!h)
      return fail(std::move(h.error()));
    return std::to_string(*h);
  };
  CHECK(passed_on(3).error().what == "odd");
}
