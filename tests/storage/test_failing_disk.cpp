// The same story is told again and again, and each time another operation of the disk fails: the first, the second, … until it
// runs through unharmed.
#include "failing_vfs.hpp"
#include "playback.hpp"

#include <utility>

using namespace ferry;
using namespace ferry::storage;
using namespace ferry::storage::test;

namespace {

constexpr std::size_t points_max = 5'000; // the story is much shorter: more means that it never ends

error_code code_of(failure_sort sort) { return sort == failure_sort::no_room ? error_code::disk_full : error_code::io; }

void require_codes(const std::vector<error>& refusals, failure_sort sort) {
  for (const auto& refusal : refusals) {
    CAPTURE(to_string(refusal));
    REQUIRE(refusal.code == code_of(sort));
  }
}

void require_state(const std::filesystem::path& folder, std::size_t place) {
  const auto found = place_of(state_of(folder));
  REQUIRE(found);
  REQUIRE(*found == place);
}

operation operations_of(failure_sort sort) { return sort == failure_sort::io_error ? everything : takes_room; }

// The files of a store that was killed at the end of the story.
void leave_crashed(const std::filesystem::path& folder) {
  failing_disk disk(1);
  make_store(folder);
  auto store = open_restless(folder);
  REQUIRE(playback(*store).go_on());
  disk.die();
  store.reset();
  disk.restart(folder, survivors::all);
}

// Plays the story with one fault, calls `after` with the folder, the disk, the store and the playback; false: no fault happened.
template <class After>
bool play(const fault& what, After&& after) {
  const auto seed = static_cast<unsigned>(what.nth);
  INFO("seed and operation " << seed);
  const temporary_folder folder(memory_folder());
  failing_disk disk(seed);
  make_store(folder.path());
  auto store = open_restless(folder.path());
  playback story(*store);
  disk.arm(what);
  story.go_on();
  require_codes(story.refusals(), what.sort);
  after(folder.path(), disk, store, story);
  return disk.struck();
}

// Calls play() for each operation that can fail; the number of them.
template <class After>
std::size_t play_all(fault what, After&& after) {
  for (what.nth = 1; what.nth < points_max; ++what.nth)
    if (!play(what, after))
      return what.nth - 1;
  FAIL("the story does not end");
  return 0;
}

} // namespace

TEST_CASE("P1: a disk that fails once costs no acknowledged group, and the store goes on") {
  (void)states();
  for (const auto sort : {failure_sort::no_room, failure_sort::io_error}) {
    CAPTURE(static_cast<int>(sort));
    const fault once{.sort = sort, .of = operations_of(sort)};
    const auto points = play_all(once, [&](const auto& folder, failing_disk& disk, auto& store, playback& story) {
      disk.heal();
      REQUIRE(story.go_on());
      require_codes(story.refusals(), sort);
      // A sync that failed may have forgotten what it was for, and a later one that succeeds does not bring it back.
      disk.die();
      store.reset();
      disk.restart(folder, survivors::none);
      require_state(folder, whole_story().size());
    });
    CHECK(points > 100);
  }
}

TEST_CASE("P1: a full disk refuses with disk_full, and the store goes on once there is room") {
  (void)states();
  const fault full{.sort = failure_sort::no_room, .of = takes_room, .lasts = true};
  const auto points = play_all(full, [&](const auto& folder, failing_disk& disk, auto& store, playback& story) {
    for (int n = 0; n < 3; ++n)
      story.go_on();
    require_codes(story.refusals(), failure_sort::no_room);
    disk.heal();
    REQUIRE(story.go_on());
    store.reset();
    require_state(folder, whole_story().size());
  });
  CHECK(points > 100);
}

TEST_CASE("P1: after a disk that goes on failing, a new store holds whole groups and all that were acknowledged") {
  (void)states();
  enum class ending { close, power_cut };
  for (const auto& [sort, how] : {std::pair{failure_sort::no_room, ending::close}, std::pair{failure_sort::io_error, ending::close},
                                  std::pair{failure_sort::io_error, ending::power_cut}}) {
    CAPTURE(static_cast<int>(sort), static_cast<int>(how));
    const fault lasting{.sort = sort, .of = operations_of(sort), .lasts = true};
    const auto points = play_all(lasting, [&](const auto& folder, failing_disk& disk, auto& store, playback& story) {
      for (int n = 0; n < 2; ++n)
        story.go_on();
      require_codes(story.refusals(), sort);
      if (how == ending::power_cut)
        disk.die();
      store.reset();
      disk.heal();
      if (how == ending::power_cut)
        disk.restart(folder, survivors::random);
      const auto found = place_of(state_of(folder));
      REQUIRE(found);
      CAPTURE(*found, story.acknowledged());
      REQUIRE(story.may_be(*found));
    });
    CHECK(points > 100);
  }
}

TEST_CASE("P10: a store that cannot be made or opened says why, and opens whole once the disk is well") {
  const temporary_folder crashed(memory_folder());
  leave_crashed(crashed.path());
  for (const bool is_new : {true, false})
    for (const auto sort : {failure_sort::no_room, failure_sort::io_error})
      for (const bool lasts : {false, true}) {
        fault what{.sort = sort, .of = operations_of(sort), .nth = 0, .lasts = lasts};
        CAPTURE(is_new, static_cast<int>(sort), lasts);
        bool struck = true;
        while (struck) {
          ++what.nth;
          INFO("seed and operation " << what.nth);
          const temporary_folder folder(memory_folder());
          if (!is_new)
            for (const char* file : {"ferry.db", "ferry.db-wal"})
              std::filesystem::copy_file(crashed.path() / file, folder.path() / file);
          failing_disk disk(static_cast<unsigned>(what.nth));
          disk.arm(what);
          if (const auto opened = job_store::open(folder.path(), config::durability::full, false); !opened)
            require_codes({opened.error()}, sort);
          struck = disk.struck();
          disk.heal();
          require_state(folder.path(), is_new ? 0 : whole_story().size());
        }
        CHECK(what.nth > 3);
      }
}

TEST_CASE("P1: a read that fails and takes the transaction with it is not followed by an acknowledgement") {
  const temporary_folder folder(memory_folder());
  failing_disk disk(1);
  make_store(folder.path());
  auto store = open_restless(folder.path());
  auto large = queued(1);
  large.params = "{\"text\":\"" + std::string(50'000, 'x') + "\"}";
  store_facts(*store, {large});

  must(store->apply({queued(2)}));
  disk.arm({.sort = failure_sort::io_error, .of = operation::read});
  const auto read = store->read_starts({job_id{1}});
  REQUIRE(disk.struck());
  REQUIRE_FALSE(read);
  CHECK(read.error().code == error_code::io);
  const auto next = store->apply({queued(3)}); // would else be acknowledged without job 2, which came before it
  REQUIRE_FALSE(next);
  CHECK(next.error().code == error_code::io);
  const auto committed = store->commit();
  REQUIRE_FALSE(committed);
  CHECK(committed.error().code == error_code::io);
  CHECK_FALSE(store->in_transaction());

  store_facts(*store, {queued(2), queued(3)});
  std::vector<std::int64_t> live;
  CHECK(must(store->restore([&](const live_job& job) { live.push_back(job.id.value); })).last_job == job_id{3});
  CHECK(live == std::vector<std::int64_t>{1, 2, 3});
}
