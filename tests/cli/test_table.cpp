#include "cli/table.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ferry::cli;

namespace {

table example() {
  table t({{"JOB", true}, {"NAME", false, 6}, {"TYPE", false, 4}, {"NOTE"}});
  t.add({{"7"}, {"a rather long name"}, {"upscale"}, {""}});
  t.add({{"1234"}, {"短い名前"}, {"command"}, {""}});
  return t;
}

} // namespace

TEST_CASE("a table that goes into a pipe is neither cut nor coloured") {
  CHECK(example().render({}) == " JOB  NAME                TYPE\n"
                                "   7  a rather long name  upscale\n"
                                "1234  短い名前            command\n");
}

TEST_CASE("a narrow terminal takes from the widest column first") {
  CHECK(example().render({.width = 26}) == " JOB  NAME         TYPE\n"
                                           "   7  a rather l…  upscale\n"
                                           "1234  短い名前     command\n");
}

TEST_CASE("what cannot shrink any more is cut at the edge") {
  CHECK(example().render({.width = 16}) == " JOB  NAME    T…\n"
                                           "   7  a rat…  u…\n"
                                           "1234  短い…   c…\n");
}

TEST_CASE("without UTF-8 no other characters are added") {
  CHECK(example().render({.width = 26, .unicode = false}).find("a rather l~") != std::string::npos);
}

TEST_CASE("cells cannot break the table") {
  table t({{"NAME"}, {"X"}});
  t.add({{"two\nlines\x1b[2J"}, {"x"}});
  CHECK(t.render({}) == "NAME               X\n"
                        "two\\nlines\\x1b[2J  x\n");
}

TEST_CASE("colour surrounds a cell and leaves its width") {
  table t({{"A"}, {"B"}});
  t.add({{"x", tone::red}, {"y"}});
  CHECK(t.render({.color = true}) == "\x1b[1mA\x1b[0m  \x1b[1mB\x1b[0m\n\x1b[31mx\x1b[0m  y\n");
}
