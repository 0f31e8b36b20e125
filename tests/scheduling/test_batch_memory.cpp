#include "scheduling/batch_memory.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ferry;
using namespace ferry::scheduling;

namespace {

instant at(std::int64_t hours) { return from_unix_ms(hours * 3'600'000); }

} // namespace

TEST_CASE("a key of which no memory is known takes what its type declares, else the largest peak of all, else nothing") {
  batch_memory memory;
  CHECK(memory.to_reserve(1, 4, 0) == std::nullopt);
  CHECK(memory.to_reserve(1, 4, 6'000) == 6'000);
  memory.used(2, 4, 10'000, at(0));
  CHECK(memory.to_reserve(1, 1, 0) == 10'500);
  CHECK(memory.to_reserve(1, 1, 6'000) == 6'000);
  CHECK(memory.to_reserve(2, 4, 6'000) == 10'500); // its own is known better than what is declared
  CHECK(memory.knows(2));
  CHECK_FALSE(memory.knows(1));
}

TEST_CASE("from one size alone, larger batches are expected to take as much for each item, smaller ones no less") {
  batch_memory memory;
  memory.used(1, 2, 4'000, at(0));
  CHECK(memory.to_reserve(1, 2, 0) == 4'200);
  CHECK(memory.to_reserve(1, 4, 0) == 8'400);
  CHECK(memory.to_reserve(1, 1, 0) == 4'200);
}

TEST_CASE("from two sizes on, a line tells what other sizes take") {
  batch_memory memory;
  memory.used(1, 1, 5'000, at(0));
  memory.used(1, 4, 8'000, at(0)); // 4,000 and 1,000 for each item
  CHECK(memory.to_reserve(1, 8, 0) == 12'600);
  CHECK(memory.to_reserve(1, 2, 0) == 6'300);
}

TEST_CASE("no peak lies above what is reserved") {
  batch_memory memory;
  const std::map<int, std::int64_t> peaks{{1, 5'000}, {2, 5'900}, {3, 7'200}, {4, 7'900}, {8, 12'300}};
  for (const auto& [items, peak] : peaks)
    memory.used(1, items, peak, at(0));
  for (const auto& [items, peak] : peaks) {
    CHECK(*memory.to_reserve(1, items, 0) >= peak);
    CHECK(*memory.to_reserve(1, items, 0) <= peak * 12 / 10);
  }
}

TEST_CASE("larger batches are never expected to take less") {
  batch_memory memory;
  memory.used(1, 1, 9'000, at(0));
  memory.used(1, 2, 4'000, at(0));
  CHECK(memory.to_reserve(1, 4, 0) == 9'450);
}

TEST_CASE("a lower peak replaces a higher one only after a day") {
  batch_memory memory;
  memory.used(1, 2, 9'000, at(0));
  memory.used(1, 2, 4'000, at(23));
  CHECK(memory.to_reserve(1, 2, 0) == 9'450);
  memory.used(1, 2, 4'000, at(24));
  CHECK(memory.to_reserve(1, 2, 0) == 4'200);
}

TEST_CASE("a batch that ran out of memory needs more than it had, and a single item a quarter more") {
  batch_memory memory;
  memory.used(1, 2, 4'000, at(0));
  memory.ran_out(1, 8, 16'000, at(1));
  CHECK(*memory.to_reserve(1, 8, 0) >= 16'000);
  memory.ran_out(2, 1, 8'000, at(1));
  CHECK(memory.to_reserve(2, 1, 0) == 10'500);
}

TEST_CASE("sizes between those that are told apart count on the safe side") {
  batch_memory memory;
  memory.used(1, 7, 7'000, at(0)); // counts for six
  CHECK(*memory.to_reserve(1, 6, 0) >= 7'000);
  batch_memory other;
  other.ran_out(1, 7, 7'000, at(0)); // eight will lack it as well; whether six do is not known
  CHECK(other.to_reserve(1, 8, 0) == 7'350);
}

TEST_CASE("memory read back is what was written") {
  batch_memory kept;
  for (int items = 1; items <= 300; ++items)
    kept.used(static_cast<std::uint64_t>(items % 3), items, 1'000 + items * 10, at(items));
  const auto read = batch_memory::from_json(json::parse(kept.to_json().dump()));
  REQUIRE(read);
  CHECK(read->to_json().dump() == kept.to_json().dump());
  CHECK(read->to_reserve(1, 5, 0) == kept.to_reserve(1, 5, 0));
  for (const char* damaged :
       {"[]", "{}", R"({"version":1,"largest":1,"keys":[[1]]})", R"({"version":1,"largest":1,"keys":[[1,[5,1,1]]]})"})
    CHECK(batch_memory::from_json(json::parse(damaged)).error().code == error_code::damaged);
  CHECK(batch_memory::from_json(json::parse(R"({"version":9})")).error().code == error_code::newer_version);
}
