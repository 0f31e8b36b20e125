#include "gpu/upscale/compute/cpu/team.hpp"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <limits>
#include <set>

using namespace ferry::upscale;

TEST_CASE("a team works with exactly its threads, the caller's among them") {
  team four(4);
  std::mutex mutex;
  std::set<std::thread::id> ids;
  std::set<int> indices;
  for (int round = 0; round < 50; ++round)
    four.run([&](int index) {
      const std::lock_guard lock(mutex);
      ids.insert(std::this_thread::get_id());
      indices.insert(index);
    });
  CHECK(ids.size() == 4);
  CHECK(ids.contains(std::this_thread::get_id()));
  CHECK(indices == std::set<int>{0, 1, 2, 3});
}

TEST_CASE("a team of one runs on the caller's thread alone") {
  team one(1);
  std::thread::id where;
  one.run([&](int) {
    where = std::this_thread::get_id();
    one.wait_for_all();
  });
  CHECK(where == std::this_thread::get_id());
}

TEST_CASE("nobody of a team passes a meeting before all have come") {
  team three(3);
  std::atomic<int> arrived = 0;
  std::atomic<int> early = 0;
  three.run([&](int) {
    for (int meeting = 1; meeting <= 200; ++meeting) {
      ++arrived;
      three.wait_for_all();
      if (arrived < 3 * meeting)
        ++early;
      three.wait_for_all();
    }
  });
  CHECK(early == 0);
}

#if defined(__x86_64__)
TEST_CASE("denormal numbers count as zero while a team works, and count again afterwards") {
  const volatile float tiny = std::numeric_limits<float>::denorm_min() * 64;
  team two(2);
  std::atomic<int> seen = 0;
  two.run([&](int) { seen += tiny * 2.0F != 0.0F ? 1 : 0; });
  CHECK(seen == 0);
  CHECK(tiny * 2.0F != 0.0F);
}
#endif
