#include "runners/line_splitter.hpp"

#include <catch2/catch_all.hpp>
#include <random>
#include <vector>

using ferry::runners::line_splitter;

namespace {

std::vector<std::string> lines_of(line_splitter& splitter, std::string_view bytes) {
  std::vector<std::string> lines;
  splitter.feed(bytes, [&](std::string_view line) { lines.emplace_back(line); });
  return lines;
}

} // namespace

TEST_CASE("lines are the same however the bytes are cut into pieces") {
  const std::string text = "one\n\ntwo words\r45%\rlonger than ten bytes\nlast\nbegun";
  line_splitter whole(10, "\r\n");
  const auto expected = lines_of(whole, text);
  CHECK(expected == std::vector<std::string>{"one", "", "two words", "45%", "last"});
  CHECK(whole.dropped() == 1);
  CHECK(whole.pending() == "begun");
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    line_splitter pieces(10, "\r\n");
    std::vector<std::string> found;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t size = 1 + random() % 9;
      for (auto& line : lines_of(pieces, std::string_view(text).substr(at, size)))
        found.push_back(std::move(line));
      at += size;
    }
    REQUIRE(found == expected);
    REQUIRE(pieces.dropped() == 1);
    REQUIRE(pieces.pending() == "begun");
  }
}

TEST_CASE("after bytes were left out the rest of that line is no line") {
  line_splitter splitter(100);
  CHECK(lines_of(splitter, "whole\nbeg").size() == 1);
  splitter.lose_place();
  CHECK(splitter.pending().empty());
  CHECK(lines_of(splitter, "rest of another\nnext\n") == std::vector<std::string>{"next"});
  CHECK(splitter.dropped() == 0);
}

TEST_CASE("a line without an end keeps no more than its bound in memory") {
  line_splitter splitter(100);
  for (int i = 0; i < 1000; ++i)
    CHECK(lines_of(splitter, std::string(64, 'x')).empty());
  CHECK(splitter.pending().size() <= 100);
  CHECK(splitter.dropped() == 1);
  CHECK(lines_of(splitter, "\nnext\n") == std::vector<std::string>{"next"});
}
