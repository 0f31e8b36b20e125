#include "cli/text.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ferry::cli;

TEST_CASE("control characters never reach the terminal") {
  CHECK(printable("a\x1b[31mred") == "a\\x1b[31mred");
  CHECK(printable("line\nline\ttab\r") == "line\\nline\\ttab\\r");
  CHECK(printable(std::string_view("nul\0!", 5)) == "nul\\x00!");
  CHECK(printable("\x7f") == "\\x7f");
  CHECK(printable("\xc2\x9b"
                  "31m") == "\\x9b31m"); // CSI as one character of C1
}

TEST_CASE("marks that turn the direction of writing are shown, not obeyed") {
  CHECK(printable("a\u202eb") == "a\\u{202e}b");
  CHECK(printable("\u2066x\u2069") == "\\u{2066}x\\u{2069}");
}

TEST_CASE("bytes that are not UTF-8 are shown as bytes") {
  CHECK(printable("\xff\xfe") == "\\xff\\xfe");
  CHECK(printable("\xc0\xaf") == "\\xc0\\xaf");          // overlong
  CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80"); // a surrogate
  CHECK(printable("caf\xc3") == "caf\\xc3");             // cut
  CHECK(printable("café 漢字 ×2") == "café 漢字 ×2");
}

TEST_CASE("the width of text is counted in columns") {
  CHECK(display_width("china ×2") == 8);
  CHECK(display_width("漢字") == 4);
  CHECK(display_width("e\u0301") == 1);
  CHECK(display_width("🚢") == 2);
  CHECK(display_width("▓░▶…·") == 5);
}

TEST_CASE("text is cut between characters and says so") {
  CHECK(fit("abcdef", 6) == "abcdef");
  CHECK(fit("abcdef", 4) == "abc…");
  CHECK(fit("漢字漢字", 5) == "漢字…");
  CHECK(fit("漢字漢字", 4) == "漢…");
  CHECK(fit("abc", 0).empty());
  CHECK(fit("abcdef", 4, "~") == "abc~");
}

TEST_CASE("padding counts columns, not bytes") {
  CHECK(pad("字", 4) == "字  ");
  CHECK(pad("7", 3, true) == "  7");
  CHECK(pad("long", 2) == "long");
}
