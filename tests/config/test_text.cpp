#include "config/text.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <random>

using namespace ferry;
using namespace ferry::config;

namespace {

std::string random_word(std::mt19937& random) {
  std::string word(random() % 7, 'a');
  for (char& c : word)
    c = static_cast<char>('a' + random() % 3);
  return word;
}

} // namespace

TEST_CASE("the edit distance counts letters added, dropped, changed and swapped") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("slots", "slots") == 0);
  CHECK(edit_distance("slot", "slots") == 1);
  CHECK(edit_distance("solts", "slots") == 1);
  CHECK(edit_distance("slits", "slots") == 1);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("kitten", "sitting") == 3);
}

TEST_CASE("the edit distance is symmetric, zero only for equal words and at most the longer word") {
  const auto seed = GENERATE(range(0, 20));
  CAPTURE(seed);
  std::mt19937 random(static_cast<unsigned>(seed));
  for (int i = 0; i < 50; ++i) {
    const std::string a = random_word(random), b = random_word(random);
    CAPTURE(a, b);
    const std::size_t distance = edit_distance(a, b);
    CHECK(distance == edit_distance(b, a));
    CHECK((distance == 0) == (a == b));
    CHECK(distance <= std::max(a.size(), b.size()));
    CHECK(distance >= std::max(a.size(), b.size()) - std::min(a.size(), b.size()));
  }
}

TEST_CASE("the nearest name is suggested only when it is near") {
  const std::vector<std::string> names{"slots", "memory_mib", "threads", "max_run_time", "grace"};
  CHECK(nearest("slot", names) == "slots");
  CHECK(nearest("memory_mb", names) == "memory_mib");
  CHECK(nearest("memory", names) == "memory_mib");
  CHECK(nearest("max_runtime", names) == "max_run_time");
  CHECK(nearest("garce", names) == "grace");
  CHECK(nearest("threads_per_slot", names) == "threads");
  CHECK(nearest("colour", names).empty());
  CHECK(nearest("x", names).empty());
  CHECK(nearest("", names).empty());
  CHECK(nearest(std::string(100'000, 'a'), names).empty());
  CHECK(nearest("anything", {}).empty());
}

TEST_CASE("shortened text stays UTF-8 and shows control characters") {
  CHECK(shortened("plain") == "plain");
  CHECK(shortened(std::string_view("a\0b\n", 4)) == "a\\x00b\\x0a");
  const std::string umlauts = "ääääääääää";
  for (std::size_t most = 0; most < umlauts.size(); ++most) {
    const std::string text = shortened(umlauts, most);
    CAPTURE(most, text);
    CHECK_NOTHROW(json(text).dump());
    CHECK(text.size() <= most + std::string("…").size());
    CHECK(text.ends_with("…"));
  }
  CHECK(shortened(umlauts, umlauts.size()) == umlauts);
}
