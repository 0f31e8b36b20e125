// The power fails at each operation of the disk in turn: a write is torn, what was not synced is lost in part or as a whole, and a
// new store opens what is left.
#include "failing_vfs.hpp"
#include "playback.hpp"

using namespace ferry;
using namespace ferry::storage;
using namespace ferry::storage::test;

namespace {

constexpr std::size_t points_max = 5'000; // the story is much shorter: more means that it never ends

bool is_end_of_transaction(std::size_t place) { return place == 0 || whole_story().at(place - 1).commits; }

// What a client does that got no answer: it sends the same request again. Jobs that are there are told, none is made twice.
void require_known(job_store& store, const message& sent) {
  std::vector<job_id> made;
  for (const auto& f : sent.facts)
    made.push_back(std::get<job_queued>(f).id);
  REQUIRE(must(store.apply(sent.facts, sent.from)).already_submitted == made);
  must(store.commit());
}

// Plays the story until the power is cut; false: it ran through. `check` gets the playback and the state that is found.
template <class Check>
bool play(std::size_t nth, survivors left, config::durability durability, Check&& check) {
  INFO("seed and operation " << nth << ", survivors " << static_cast<int>(left));
  const temporary_folder folder(memory_folder());
  make_store(folder.path());
  failing_disk disk(static_cast<unsigned>(nth));
  auto store = open_restless(folder.path(), durability);
  playback before(*store);
  disk.arm({.sort = failure_sort::power_cut, .nth = nth});
  before.go_on();
  store.reset(); // the power may fail here too
  disk.die();
  disk.restart(folder.path(), left);
  const auto found = place_of(state_of(folder.path()));
  REQUIRE(found);
  CAPTURE(before.acknowledged(), *found);
  check(before, *found);

  store = open_restless(folder.path(), durability);
  for (std::size_t n = 0; n < *found; ++n)
    if (!whole_story()[n].from.key.empty())
      require_known(*store, whole_story()[n]);
  playback after(*store, *found);
  REQUIRE(after.go_on());
  store.reset();
  REQUIRE(place_of(state_of(folder.path())) == whole_story().size());
  return disk.struck();
}

template <class Check>
std::size_t play_all(survivors left, config::durability durability, Check&& check) {
  for (std::size_t n = 1; n < points_max; ++n)
    if (!play(n, left, durability, check))
      return n - 1;
  FAIL("the story does not end");
  return 0;
}

} // namespace

TEST_CASE("P1: a power cut costs no acknowledged group and leaves no part of another, whatever was not synced") {
  (void)states();
  for (const auto left : {survivors::none, survivors::all, survivors::random}) {
    const auto points =
        play_all(left, config::durability::full, [](const playback& before, std::size_t found) { REQUIRE(before.may_be(found)); });
    CHECK(points > 100);
  }
}

TEST_CASE("with the weaker durability a power cut may cost the last groups, but never a part of one") {
  (void)states();
  const auto points = play_all(survivors::random, config::durability::normal, [](const playback& before, std::size_t found) {
    REQUIRE((found <= before.acknowledged() || before.may_be(found)));
    REQUIRE(is_end_of_transaction(found));
  });
  CHECK(points > 100);
}

TEST_CASE("P10: a power cut while the store is made leaves none or a whole one") {
  (void)states();
  for (const auto left : {survivors::none, survivors::all, survivors::random}) {
    bool struck = true;
    unsigned nth = 0;
    while (struck) {
      ++nth;
      INFO("seed and operation " << nth << ", survivors " << static_cast<int>(left));
      const temporary_folder folder(memory_folder());
      failing_disk disk(nth);
      disk.arm({.sort = failure_sort::power_cut, .nth = nth});
      if (const auto opened = job_store::open(folder.path(), config::durability::full, false); !opened) {
        CAPTURE(to_string(opened.error()));
        REQUIRE(opened.error().code == error_code::io);
      }
      struck = disk.struck();
      disk.die();
      disk.restart(folder.path(), left);
      REQUIRE(state_of(folder.path()) == states().front());
    }
    CHECK(nth > 20);
  }
}
