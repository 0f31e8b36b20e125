#include "scheduling/audit.hpp"
#include "scheduling/device_health.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ferry;
using namespace ferry::scheduling;

namespace {

using batches = std::set<batch_id>;

run_books balanced() { return {.on_disk = {{1}, {2}}, .in_memory = {{1}, {2}}, .expected = {{1}}, .alive = {{1}, {2}}}; }

} // namespace

TEST_CASE("books that agree need no repair") {
  const auto found = compare_books(balanced(), balanced());
  CHECK(found.strays.empty());
  CHECK(found.differences.empty());
}

TEST_CASE("what differs once may be on its way; what differs twice is repaired") {
  auto odd = balanced();
  odd.alive.insert({9});
  CHECK(compare_books(balanced(), odd).strays.empty());
  CHECK(compare_books(odd, balanced()).strays.empty());
  CHECK(compare_books(odd, odd).strays == std::vector<batch_id>{{9}});

  auto forgotten = balanced();
  forgotten.in_memory.erase({2});
  CHECK(compare_books(balanced(), forgotten).differences.empty());
  CHECK(compare_books(forgotten, forgotten).differences == "batch 2 runs on disk and is unknown to the queue");
  CHECK(compare_books(forgotten, forgotten).strays.empty()); // the disk knows it: it is taken up, not ended

  auto unrecorded = balanced();
  unrecorded.on_disk.erase({1});
  CHECK(compare_books(unrecorded, unrecorded).differences == "batch 1 runs in the queue and not on disk");

  auto vanished = balanced();
  vanished.alive = {{2}};
  CHECK(compare_books(vanished, vanished).differences == "batch 1 has no process and has not ended");
  vanished.expected.clear(); // it is being started, or its end is on its way to the disk
  CHECK(compare_books(vanished, vanished).differences.empty());
}

TEST_CASE("a device leaves after two bad readings in a row and comes back after thirty good ones") {
  device_health health;
  const device_reading good, bad{.trouble = "lost"};
  CHECK_FALSE(health.read(bad));
  CHECK_FALSE(health.read(good)); // a hiccup
  CHECK_FALSE(health.read(bad));
  CHECK(health.read(bad) == "lost");
  CHECK_FALSE(health.read(bad)); // said once
  for (int i = 0; i < 29; ++i)
    CHECK_FALSE(health.read(good));
  CHECK_FALSE(health.read(bad)); // it counts anew
  for (int i = 0; i < 29; ++i)
    CHECK_FALSE(health.read(good));
  CHECK(health.read(good) == "");
  CHECK_FALSE(health.read(good));
}

TEST_CASE("what others take of a device's memory counts beyond what is kept free for them, in steps; what nobody tells does not") {
  const auto taken = [](std::optional<std::int64_t> foreign) {
    device_reading reading;
    reading.memory_foreign_mib = foreign;
    return memory_taken_by_others(reading, 512);
  };
  CHECK(taken({}) == 0);
  CHECK(taken(512) == 0);
  CHECK(taken(513) == 64);
  CHECK(taken(512 + 64) == 64);
  CHECK(taken(512 + 65) == 128);
  CHECK(taken(3000) == 2496);
}
