#include "cli/arguments.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ferry;
using namespace ferry::cli;

namespace {

struct example {
  bool quiet = false;
  std::optional<std::string> name, state, type;
  std::optional<std::int64_t> limit;
  std::vector<std::string> params, rest;
  std::vector<std::int64_t> ids;
  arguments taken;

  example() {
    taken.positional("TYPE", type, value_kind::job_type, "the job type");
    taken.flag("-q,--quiet", quiet, "say less");
    taken.text("--name", name, "TEXT", "a name");
    taken.integer("-n,--limit", limit, "N", "how many", 1, 100);
    taken.list("-p,--param", params, "KEY=VALUE", "a parameter");
    taken.choice("--status", state, "STATUS", {"queued", "running"}, true, "a state");
    taken.rest(rest, "ARGV", "a program");
  }
};

std::string refusal(const std::vector<std::string>& words) {
  example e;
  const auto parsed = e.taken.parse(words);
  REQUIRE_FALSE(parsed.has_value());
  return to_string(parsed.error());
}

} // namespace

TEST_CASE("options may stand before, between and after what is given by place") {
  example e;
  REQUIRE(e.taken.parse({"-p", "a=1", "upscale", "--param", "b=[1,2]", "--param=c={}", "-q", "-n5", "--name", "-x"}).has_value());
  CHECK(e.type == "upscale");
  CHECK(e.params == std::vector<std::string>{"a=1", "b=[1,2]", "c={}"});
  CHECK(e.quiet);
  CHECK(e.limit == 5);
  CHECK(e.name == "-x");
}

TEST_CASE("a list option takes one word, so what follows keeps its place") {
  example e;
  REQUIRE(e.taken.parse({"--param", "a=1", "upscale"}).has_value());
  CHECK(e.params.size() == 1);
  CHECK(e.type == "upscale");
}

TEST_CASE("what stands after -- is taken as it is") {
  example e;
  REQUIRE(e.taken.parse({"command", "--", "python3", "--quiet", "--", "-p"}).has_value());
  CHECK(e.rest == std::vector<std::string>{"python3", "--quiet", "--", "-p"});
  CHECK_FALSE(e.quiet);
}

TEST_CASE("an unknown option is refused with the nearest one") {
  CHECK(refusal({"x", "--qiet"}) == "there is no option --qiet (did you mean --quiet?)");
  CHECK(refusal({"x", "--parm=a=1"}) == "there is no option --parm (did you mean --param?)");
  CHECK(refusal({"x", "--zzzzzz"}) == "there is no option --zzzzzz");
}

TEST_CASE("a word too many is refused") {
  CHECK(refusal({"x", "y"}) == "\"y\" is one word too many (a command to run is given after --)");
}

TEST_CASE("what is missing is named") { CHECK(refusal({"-q"}) == "TYPE is missing: the job type"); }

TEST_CASE("a number out of bounds is refused with its bounds") {
  CHECK(refusal({"x", "-n", "0"}) == "--limit must be a whole number from 1 to 100, is \"0\"");
  CHECK(refusal({"x", "--limit", "many"}) == "--limit must be a whole number from 1 to 100, is \"many\"");
  CHECK(refusal({"x", "--limit=-3"}) == "--limit must be a whole number from 1 to 100, is \"-3\"");
  CHECK(refusal({"x", "--limit=1e2"}) == "--limit must be a whole number from 1 to 100, is \"1e2\"");
}

TEST_CASE("a choice is one of those that there are") {
  example e;
  REQUIRE(e.taken.parse({"x", "--status", "queued,running"}).has_value());
  CHECK(e.state == "queued,running");
  CHECK(refusal({"x", "--status", "queued,runing"}) ==
        "--status must be one of queued, running, is \"runing\" (did you mean running?)");
}

TEST_CASE("a verb that takes no program refuses one") {
  arguments none;
  CHECK_FALSE(none.parse({"--", "ls"}).has_value());
}

TEST_CASE("job ids are positive numbers") {
  CHECK(job_id_from("42") == 42);
  for (const char* word : {"", "0", "-1", "4x", "9223372036854775808", "1.5"})
    CHECK_FALSE(job_id_from(word).has_value());
}

TEST_CASE("help is made from the declarations") {
  const example e;
  CHECK(e.taken.usage() == "[OPTIONS] TYPE [-- ARGV…]");
  CHECK(e.taken.describe() == "\n  TYPE                   the job type\n"
                              "  -- ARGV…               a program\n"
                              "\n  -q, --quiet            say less\n"
                              "      --name TEXT        a name\n"
                              "  -n, --limit N          how many\n"
                              "  -p, --param KEY=VALUE  a parameter (may be given many times)\n"
                              "      --status STATUS    a state\n");
}
