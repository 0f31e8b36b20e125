#include "scheduling/batch_caps.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ferry;
using namespace ferry::scheduling;

namespace {

instant at(std::int64_t hours) { return from_unix_ms(hours * 3'600'000); }

constexpr cap_rules known_memory{.items_max = 8, .memory_known = true}, unknown_memory{.items_max = 8, .memory_known = false};

void succeed(batch_caps& caps, std::uint64_t key, int items, int times, instant now) {
  for (int i = 0; i < times; ++i)
    caps.succeeded(key, items, known_memory, now);
}

} // namespace

TEST_CASE("where memory is known, batches are as large as declared from the start") {
  const batch_caps caps;
  CHECK(caps.cap(1, known_memory, at(0)) == 8);
}

TEST_CASE("where memory is not known, batches double with each full one that succeeds") {
  batch_caps caps;
  std::string seen;
  for (int i = 0; i < 5; ++i) {
    const int cap = caps.cap(1, unknown_memory, at(0));
    seen += std::to_string(cap) + " ";
    caps.succeeded(1, cap, unknown_memory, at(0));
    caps.succeeded(1, 1, unknown_memory, at(0)); // no full one: shows nothing
  }
  CHECK(seen == "1 2 4 8 8 ");
  CHECK(caps.cap(2, unknown_memory, at(0)) == 8); // of the type: other keys need not begin anew
}

TEST_CASE("out of memory halves the cap, and success raises it step by step to just below what failed") {
  batch_caps caps;
  caps.ran_out_of_memory(1, 8, at(0));
  CHECK(caps.cap(1, known_memory, at(0)) == 4);
  CHECK(caps.cap(2, known_memory, at(0)) == 8);
  succeed(caps, 1, 4, 9, at(1));
  CHECK(caps.cap(1, known_memory, at(1)) == 4);
  succeed(caps, 1, 3, 5, at(1)); // not full
  CHECK(caps.cap(1, known_memory, at(1)) == 4);
  succeed(caps, 1, 4, 1, at(1));
  CHECK(caps.cap(1, known_memory, at(1)) == 5);
  succeed(caps, 1, 5, 1, at(2));
  CHECK(caps.cap(1, known_memory, at(2)) == 5);
  succeed(caps, 1, 5, 10, at(2));
  succeed(caps, 1, 6, 10, at(2));
  succeed(caps, 1, 7, 100, at(2));
  CHECK(caps.cap(1, known_memory, at(2)) == 7);
}

TEST_CASE("the ceiling of a key is forgotten after a day, or when the devices change") {
  batch_caps caps;
  caps.ran_out_of_memory(1, 3, at(0));
  succeed(caps, 1, 1, 10, at(1));
  succeed(caps, 1, 2, 50, at(1));
  CHECK(caps.cap(1, known_memory, at(1)) == 2);
  SECTION("after a day") {
    succeed(caps, 1, 2, 10, at(24));
    CHECK(caps.cap(1, known_memory, at(24)) == 3);
  }
  SECTION("other devices") {
    caps.devices_changed();
    succeed(caps, 1, 2, 10, at(2));
    CHECK(caps.cap(1, known_memory, at(2)) == 3);
  }
}

TEST_CASE("a batch that fails below the ceiling lowers the ceiling, one above does not raise it") {
  batch_caps caps;
  caps.ran_out_of_memory(1, 4, at(0));
  caps.ran_out_of_memory(1, 8, at(1)); // it had begun before
  CHECK(caps.cap(1, known_memory, at(1)) == 3);
  succeed(caps, 1, 3, 50, at(1));
  CHECK(caps.cap(1, known_memory, at(1)) == 3);
}

TEST_CASE("a single item out of memory says nothing about batches") {
  batch_caps caps;
  caps.ran_out_of_memory(1, 1, at(0));
  CHECK(caps.cap(1, known_memory, at(0)) == 8);
}

TEST_CASE("a cap never exceeds what is declared now, and is never below one") {
  batch_caps caps;
  caps.ran_out_of_memory(1, 64, at(0));
  CHECK(caps.cap(1, known_memory, at(0)) == 8);
  CHECK(caps.cap(1, {.items_max = 0, .memory_known = true}, at(0)) == 1);
}

TEST_CASE("caps read back are what was written") {
  batch_caps kept;
  kept.ran_out_of_memory(1, 8, at(0));
  kept.ran_out_of_memory(2, 6, at(3));
  succeed(kept, 1, 4, 7, at(4));
  const auto read = batch_caps::from_json(json::parse(kept.to_json().dump()));
  REQUIRE(read);
  CHECK(read->to_json().dump() == kept.to_json().dump());
  for (const char* damaged :
       {"[]", "{}", R"({"version":1,"proven":0,"keys":[]})", R"({"version":1,"proven":1,"keys":[[1,0,0,0,0]]})"})
    CHECK(batch_caps::from_json(json::parse(damaged)).error().code == error_code::damaged);
  CHECK(batch_caps::from_json(json::parse(R"({"version":9})")).error().code == error_code::newer_version);
}
